"""Alerts: rules, what they measure, how an alert begins and ends, and who is notified."""
