package listing_test

import data.listing

question := {
	"schema": "listing/1",
	"at_ms": 1780000000000,
	"stage": "version",
	"caller": {
		"person_id": "p1",
		"organisation_id": "o1",
		"organisation_kind": "owner",
		"active": true,
		"organisation_suspended": false,
	},
	"manifest": {
		"dataset": "adult",
		"mode": "rows",
		"themes": ["dan so", "thu nhap"],
		"purposes": ["product.rnd", "research"],
		"legal_basis": "law",
		"law": "data-law-60-2024",
		"k": 10,
		"l": 2,
		"columns": [
			{"name": "age", "role": "quasi-identifier", "personal": "basic"},
			{"name": "income", "role": "sensitive", "personal": "sensitive"},
			{"name": "year", "role": "quasi-identifier", "personal": "none"},
		],
	},
	"version": {
		"id": "v1",
		"persons": 9999,
		"measured_k": 11,
		"measured_l": 2,
		"consented_purposes": [],
		"manifest_sha256": "0000000000000000000000000000000000000000000000000000000000000000",
	},
	"previous": {"version_id": null, "state_class": null, "personal_class": null},
}

denials := {
	"another schema": [[["/schema", "listing/2"]], {"question.unknown_schema"}],
	"before the law": [[["/at_ms", 1751302799000]], {"basis.law_unknown", "law.not_in_force"}],
	"a person who left": [[["/caller/active", false]], {"caller.inactive"}],
	"a startup publishes": [[["/caller/organisation_kind", "startup"]], {"caller.not_owner"}],
	"a suspended owner": [[["/caller/organisation_suspended", true]], {"organisation.suspended"}],
	"a secret": [[["/manifest/themes", ["kinh te quoc phong"]]], {"trade.secret"}],
	"a column that names": [[["/manifest/columns/0/role", "identifier"]], {"trade.identifying"}],
	"resale offered": [[["/manifest/purposes", ["resale"]]], {"purposes.never"}],
	"an unheard purpose offered": [[["/manifest/purposes", ["fun"]]], {"purposes.unknown"}],
	"no purpose offered": [[["/manifest/purposes", []]], {"purposes.none"}],
	"consent to a group": [
		[
			["/manifest/legal_basis", "consent"],
			["/version/consented_purposes", ["research"]],
		],
		{"purposes.group_by_consent"},
	],
	"an unknown basis": [[["/manifest/legal_basis", "hearsay"]], {"basis.unknown"}],
	"a law nobody configured": [[["/manifest/law", "hearsay"]], {"basis.law_unknown"}],
	"nobody consented": [
		[
			["/manifest/legal_basis", "consent"],
			["/manifest/purposes", ["product.rnd"]],
		],
		{"basis.nobody_consented"},
	],
	"an unknown mode": [[["/manifest/mode", "other"]], {"mode.unknown"}],
	"a budget not declared": [[["/manifest/mode", "dp"]], {"privacy.missing"}],
	"a budget over the ceiling": [private({"rho_cap_micro": 3000001}), {"privacy.over_ceiling"}],
	"an agreement over the cap": [private({"rho_agreement_micro": 1000001}), {"privacy.over_cap"}],
	"a delta of one in all": [private({"delta": 0.001}), {"privacy.delta"}],
	"a small k asked": [[["/manifest/k", 4]], {"anonymity.k_asked"}],
	"a small l asked": [[["/manifest/l", 1]], {"anonymity.l_asked"}],
	"a small k measured": [[["/version/measured_k", 9]], {"anonymity.k_measured"}],
	"a small l measured": [[["/version/measured_l", 1]], {"anonymity.l_measured"}],
	"l not measured": [[["/version/measured_l", null]], {"anonymity.l_measured"}],
	"a hash cut short": [[["/version/manifest_sha256", "00"]], {"evidence.missing"}],
	"an axis below the owner's floor": [scored({"clean_permille": 900}, {"clean_permille": 899}), {"quality.below_floor"}],
	"an axis not measured": [scored({"clean_permille": 1}, {"live_permille": 9}), {"quality.not_measured"}],
	"a score that is no number": [scored({"clean_permille": 1}, {"clean_permille": "9"}), {"quality.not_measured"}],
	"core data as records": [[["/version/persons", 100000]], {"class.over_ceiling"}],
}

codes(reasons) := {reason.code | some reason in reasons}

changed(changes) := json.patch(question, [patch |
	some [path, value] in changes
	patch := {"op": "add", "path": path, "value": value}
])

test_denied[name] if {
	some name, [changes, expected] in denials
	reasons := listing.deny with input as changed(changes)
	codes(reasons) == expected
	not listing.allow with input as changed(changes)
}

test_sold_in_its_class if {
	decision := listing.decision with input as question
	decision == {
		"allow": true,
		"reasons": [],
		"valid_until": 1780000060000,
		"obligations": {
			"mode": "rows",
			"columns": ["age", "income", "year"],
			"k_min": 11,
			"max_rows": 10000,
			"max_bytes": 16777216,
			"expires_at": 1780000060000,
			"recheck_after": 1780000060000,
			"consented_to": null,
			"row_filter": [],
			"state_class": "internal",
			"personal_class": "sensitive",
		},
	}
}

test_a_version_may_be_made_before_anything_is_measured if {
	asked := object.remove(changed([["/stage", "manifest"]]), ["version", "previous"])
	decision := listing.decision with input as asked
	decision.allow
	decision.obligations.k_min == 10
	decision.obligations.state_class == null
}

test_a_made_version_is_not_sold_unmeasured if {
	not listing.allow with input as object.remove(question, ["version"])
}

test_no_sensitive_column_needs_no_l if {
	listing.allow with input as changed([["/manifest/columns/1/role", "measure"], ["/version/measured_l", null]])
}

test_by_consent if {
	asked := changed([
		["/manifest/legal_basis", "consent"],
		["/manifest/purposes", ["product.rnd"]],
		["/version/consented_purposes", ["product.rnd"]],
	])
	listing.allow with input as asked
}

test_a_raised_class_alarms_the_owner if {
	previous := {"version_id": "v0", "state_class": "internal", "personal_class": "basic"}
	decision := listing.decision with input as changed([["/version/persons", 10000], ["/previous", previous]])
	decision.allow
	codes(decision.reasons) == {"class.raised", "class.more_personal"}
	decision.obligations.state_class == "important"
}

test_what_is_public_stays_public if {
	asked := changed([["/manifest/legal_basis", "public"], ["/version/persons", 10000000]])
	decision := listing.decision with input as asked
	decision.obligations.state_class == "public"
}

test_nothing_known_denies if {
	decision := listing.decision with input as {}
	not decision.allow
	decision.valid_until == 0
	decision.obligations == null
	codes(decision.reasons) == {concat(".", [fact.gate, "missing"]) | some fact in data.facts.listing}
}

test_every_gate_is_required if {
	listing.gates == listing.required with input as question
}

other_form := changed([["/schema", "listing/2"]])

test_silence_is_a_denial if {
	not listing.allow with input as other_form with listing.deny as set()
	listing.allow with input as question with listing.deny as set()
}

params(reasons) := {reason.params | some reason in reasons}

test_another_form_passes_all_gates_but_its_own if {
	listing.required - listing.gates == {"question.schema"} with input as other_form
	params(listing.deny) == {{"schema": "listing/2"}} with input as other_form
}

test_a_reason_names_what_it_is_about if {
	params(listing.deny) == {{"k": 9, "floor": 10}} with input as changed([["/version/measured_k", 9]])
	params(listing.deny) == {{"l": 1, "floor": 2}} with input as changed([["/version/measured_l", 1]])
	cut := changed([["/version/manifest_sha256", "00"]])
	params(listing.deny) == {{"fact": "version.manifest_sha256"}} with input as cut
}

privacy := {"rho_cap_micro": 1000000, "rho_agreement_micro": 500000, "delta": 0.000001, "persons_at_most": 9999}

private(changed) := [["/manifest/mode", "dp"], ["/manifest/privacy", object.union(privacy, changed)]]

test_persons_are_sold_in_dp_mode_without_groups if {
	asked := json.patch(question, [
		{"op": "add", "path": "/manifest/mode", "value": "dp"},
		{"op": "add", "path": "/manifest/privacy", "value": privacy},
		{"op": "add", "path": "/version/measured_k", "value": 1},
		{"op": "add", "path": "/version/measured_l", "value": null},
	])
	listing.allow with input as asked
}

scored(floors, scores) := [["/manifest/quality", floors], ["/version/quality", scores]]

test_without_a_floor_no_score_refuses if {
	listing.allow with input as changed(scored({}, {"clean_permille": 0}))
	listing.allow with input as changed(scored({"clean_permille": 899}, {"clean_permille": 899}))
}

quality_law(floors) := object.union(data.law, {"exchange.quality": [{
	"from_ms": 0,
	"until_ms": null,
	"values": floors,
}]})

test_the_exchanges_floor_holds_beside_the_owners if {
	law := quality_law({"clean_permille": 800})
	listing.allow with input as changed(scored({}, {"clean_permille": 800})) with data.law as law
	reasons := listing.deny with input as changed(scored({}, {"clean_permille": 799})) with data.law as law
	params(reasons) == {{"axis": "clean", "permille": 799, "floor": 800, "whose": "exchange"}}
	unmeasured := listing.deny with input as question with data.law as law
	params(unmeasured) == {{"axis": "clean", "floor": 800, "whose": "exchange"}}
}

test_of_two_floors_the_higher_one_is_told_and_whose_it_is if {
	law := quality_law({"clean_permille": 800})
	own := listing.deny with input as changed(scored({"clean_permille": 801}, {"clean_permille": 5})) with data.law as law
	params(own) == {{"axis": "clean", "permille": 5, "floor": 801, "whose": "owner"}}
	both := listing.deny with input as changed(scored({"clean_permille": 800}, {"clean_permille": 5})) with data.law as law
	params(both) == {{"axis": "clean", "permille": 5, "floor": 800, "whose": "exchange"}}
}

test_a_floor_that_is_no_number_is_never_reached if {
	asked := changed(scored({"clean_permille": "0"}, {"clean_permille": 1000}))
	not "quality.floor" in listing.gates with input as asked
}
