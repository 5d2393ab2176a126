"""What is kept of people, and their rights over it."""
