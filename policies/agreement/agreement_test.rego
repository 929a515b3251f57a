package agreement_test

import data.agreement

test_nothing_known_denies if {
	decision := agreement.decision with input as {}
	not decision.allow
}
