"""The pages that Voilà renders, and what makes them load fast."""
