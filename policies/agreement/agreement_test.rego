package agreement_test

import data.agreement

question := {
	"schema": "agreement/1",
	"at_ms": 1780000000000,
	"stage": "apply",
	"applicant": {
		"person_id": "p1",
		"organisation_id": "s1",
		"organisation_kind": "startup",
		"organisation_slug": "s-one",
		"active": true,
		"organisation_suspended": false,
	},
	"owner": {"organisation_id": "o1", "suspended": false},
	"application": {
		"id": "a1",
		"purpose": "product.rnd",
		"purpose_judged": false,
		"people": ["p1", "p2"],
		"active_people": ["p2", "p1"],
		"duration_days": 10,
		"expires_at_ms": 1780864000000,
		"promises": {"place": "VN", "ethics_reference": null, "returns_results": false},
		"limits": {},
	},
	"dataset": {
		"id": "d1",
		"version_id": "v1",
		"listed": true,
		"mode": "rows",
		"k": 10,
		"persons": 32561,
		"columns": ["age", "sex", "hours"],
		"basic_columns": ["age", "sex"],
		"sensitive_columns": ["hours"],
		"purposes": ["product.rnd", "research"],
		"conditions": {},
		"legal_basis": "public",
	},
}

crowd := ["p1" | some _ in numbers.range(1, 51)]

denials := {
	"another schema": [[["/schema", "access/1"]], {"question.unknown_schema"}],
	"before the law": [[["/at_ms", 1751302799000]], {"duration.not_asked", "law.not_in_force"}],
	"an applicant who left": [[["/applicant/active", false]], {"applicant.inactive"}],
	"an owner applies": [[["/applicant/organisation_kind", "owner"]], {"applicant.not_startup"}],
	"a suspended applicant": [[["/applicant/organisation_suspended", true]], {"applicant.suspended"}],
	"a suspended owner": [[["/owner/suspended", true]], {"owner.suspended"}],
	"nobody named": [[["/application/people", []]], {"people.none"}],
	"a stranger named": [[["/application/active_people", ["p1"]]], {"people.inactive"}],
	"too many named": [[["/application/people", crowd]], {"people.too_many"}],
	"no day": [[["/application/duration_days", 0]], {"duration.not_asked", "duration.out_of_bounds"}],
	"four years": [[["/application/duration_days", 1461]], {"duration.out_of_bounds"}],
	"an end in the past": [[["/application/expires_at_ms", 1780000000000]], {"duration.not_asked"}],
	"an end later than asked": [[["/application/expires_at_ms", 1780864000001]], {"duration.not_asked"}],
	"an unheard purpose": [[["/application/purpose", "fun"]], {"purpose.not_allowed", "purpose.unknown"}],
	"resale": [[["/application/purpose", "resale"]], {"purpose.never", "purpose.not_allowed"}],
	"a purpose not offered": [[["/application/purpose", "public.service"]], {"purpose.not_allowed"}],
	"an akin purpose nobody judged": [
		[
			["/stage", "accept"],
			["/application/purpose", "research.health"],
			["/dataset/purposes", ["research.academic"]],
		],
		{"purpose.needs_person"},
	],
	"a time limit": [[["/dataset/conditions", {"time_limit_days": 9}]], {"condition.time_limit"}],
	"too many people": [[["/dataset/conditions", {"approved_users_max": 1}]], {"condition.users"}],
	"another institution": [[["/dataset/conditions", {"institutions": ["s-two"]}]], {"condition.institution"}],
	"records not understood": [
		[["/dataset/conditions", {"records": [{"column": "p", "in": []}]}]],
		{"condition.records"},
	],
	"agreed records not understood": [
		[["/application/promises/records", [{"column": "sex", "in": []}]]],
		{"condition.promised_records"},
	],
	"agreed records of no column": [
		[["/application/promises/records", [{"column": "gone", "in": ["F"]}]]],
		{"condition.promised_records"},
	],
	"another place": [[["/dataset/conditions", {"places": ["LA"]}]], {"condition.place"}],
	"no ethics approval": [[["/dataset/conditions", {"ethics_approval": true}]], {"condition.ethics"}],
	"results kept": [[["/dataset/conditions", {"return_results": true}]], {"condition.results"}],
	"nothing listed": [[["/dataset", {"id": "d1", "listed": false}]], {"version.not_listed"}],
	"an unknown mode": [[["/dataset/mode", "other"]], {"version.mode_unknown"}],
	"small groups": [[["/dataset/k", 4]], {"version.k_below_floor"}],
	"an unknown basis": [[["/dataset/legal_basis", "hearsay"]], {"basis.unknown"}],
	"core data as records": [
		[
			["/dataset/legal_basis", "law"],
			["/dataset/persons", 1000000],
		],
		{"class.over_ceiling"},
	],
	"a limit nobody enforces": [[["/application/limits", {"watermark": true}]], {"obligations.unknown"}],
	"a limit in another mode": [[["/application/limits", {"mode": "aggregate"}]], {"obligations.conflict"}],
}

codes(reasons) := {reason.code | some reason in reasons}

changed(changes) := json.patch(question, [patch |
	some [path, value] in changes
	patch := {"op": "add", "path": path, "value": value}
])

test_denied[name] if {
	some name, [changes, expected] in denials
	reasons := agreement.deny with input as changed(changes)
	codes(reasons) == expected
	not agreement.allow with input as changed(changes)
}

test_granted_with_limits if {
	limits := {"columns": ["age", "salary"], "max_rows": 50, "k_min": 5, "expires_at": 1780500000000}
	decision := agreement.decision with input as changed([["/stage", "accept"], ["/application/limits", limits]])
	decision == {
		"allow": true,
		"reasons": [],
		"valid_until": 1780000060000,
		"obligations": {
			"mode": "rows",
			"columns": ["age"],
			"k_min": 10,
			"max_rows": 50,
			"max_bytes": 16777216,
			"expires_at": 1780500000000,
			"recheck_after": 1780000060000,
			"consented_to": null,
			"row_filter": [],
			"state_class": "public",
			"personal_class": "basic",
		},
	}
}

test_by_consent_for_its_purpose_only if {
	decision := agreement.decision with input as changed([["/dataset/legal_basis", "consent"]])
	decision.obligations.consented_to == "product.rnd"
}

test_a_group_may_be_agreed if agreement.allow with input as changed([["/application/purpose", "research"]])

akin := [["/application/purpose", "research.health"], ["/dataset/purposes", ["research.academic"]]]

test_an_akin_purpose_may_be_applied_for_and_the_owner_is_told if {
	decision := agreement.decision with input as changed(akin)
	decision.allow
	codes(decision.reasons) == {"purpose.needs_person"}
}

test_an_akin_purpose_that_the_owner_judged_is_granted if {
	judged := array.concat(akin, [["/stage", "accept"], ["/application/purpose_judged", true]])
	agreement.allow with input as changed(judged)
}

test_nothing_known_denies if {
	decision := agreement.decision with input as {}
	not decision.allow
	decision.valid_until == 0
	decision.obligations == null
	codes(decision.reasons) == {concat(".", [fact.gate, "missing"]) | some fact in data.facts.agreement}
}

test_every_gate_is_required if {
	agreement.gates == agreement.required with input as question
}

other_form := changed([["/schema", "access/1"]])

test_silence_is_a_denial if {
	not agreement.allow with input as other_form with agreement.deny as set()
	agreement.allow with input as question with agreement.deny as set()
}

test_another_form_passes_all_gates_but_its_own if {
	agreement.required - agreement.gates == {"question.schema"} with input as other_form
	{reason.params | some reason in agreement.deny} == {{"schema": "access/1"}} with input as other_form
}

test_a_dataset_in_dp_mode_needs_no_groups if {
	asked := json.patch(question, [
		{"op": "add", "path": "/dataset/mode", "value": "dp"},
		{"op": "add", "path": "/dataset/k", "value": 1},
	])
	agreement.allow with input as asked
}

test_the_filter_agreed_on_is_granted if {
	promised := [{"column": "sex", "in": ["F"]}]
	decision := agreement.decision with input as changed([["/application/promises/records", promised]])
	decision.allow
	decision.obligations.row_filter == promised
}

test_no_filter_of_records_without_conditions if agreement.row_filter == [] with input as {}
