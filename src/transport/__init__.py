"""The only place that sends mail. A provider's own words stay here (``outcome.py``)."""
