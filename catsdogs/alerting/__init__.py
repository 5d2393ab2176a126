"""Alerts: rules, what they measure, how an alert starts and ends, and the notification of people."""
