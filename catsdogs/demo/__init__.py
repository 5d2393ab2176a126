"""Made-up history, for the first look at an empty dashboard, for screenshots and for tests of the alert rules."""
