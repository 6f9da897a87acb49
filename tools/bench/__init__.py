"""The benchmark behind `make bench`: what a send costs, measured against a bare worker.

A machine that is shared or busy makes every absolute number doubtful, so this worker runs beside
a bare JavaScript worker that asks D1 and the mail binding for the same things and does nothing
else. Both get the same load in short turns; what differs between them is what this code costs.
"""
