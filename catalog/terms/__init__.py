"""Words of listings and of questions: how they fold, and which of them mean the same."""
