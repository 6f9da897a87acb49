"""Storms: clients, queue, cron and crashes at random, and an audit of the state that they leave.

The deployments run in the process of the tests, so an hour of a storm takes a second.
"""
