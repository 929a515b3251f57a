"""A small Stripe of ours, in its own process: what neither stripe-mock nor localstripe has."""
