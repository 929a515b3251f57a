"""The index of what is listed: words, meanings and facets; it knows listings by their ids alone."""
