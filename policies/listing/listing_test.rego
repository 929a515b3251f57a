package listing_test

import data.listing

test_nothing_known_denies if {
	decision := listing.decision with input as {}
	not decision.allow
}
