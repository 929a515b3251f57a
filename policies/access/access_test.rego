package access_test

import data.access

question := {
	"schema": "access/1",
	"at_ms": 1780000000000,
	"caller": {
		"person_id": "p1",
		"organisation_id": "s1",
		"organisation_kind": "startup",
		"active": true,
		"organisation_suspended": false,
	},
	"agreement": {
		"id": "a1",
		"startup_id": "s1",
		"dataset_id": "d1",
		"purpose": "product.rnd",
		"purpose_judged": false,
		"people": ["p1", "p2"],
		"columns": ["age", "sex"],
		"valid_from_ms": 1760000000000,
		"expires_at_ms": 1790000000000,
		"ended": false,
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
		"basic_columns": ["age", "sex"],
		"sensitive_columns": ["hours"],
		"conditions": {},
		"state_class": "public",
		"columns": ["age", "sex", "hours"],
		"purposes": ["product.rnd", "research.academic"],
		"legal_basis": "public",
	},
	"request": {
		"purpose": "product.rnd",
		"columns": ["age"],
		"price_vnd": 1500,
		"rows_cap": 1000,
		"rows_released": 10,
		"beside": [],
	},
	"wallet": {"available_vnd": 100000},
}

by_consent := json.patch(question, [
	{"op": "replace", "path": "/dataset/legal_basis", "value": "consent"},
	{"op": "replace", "path": "/dataset/mode", "value": "aggregate"},
	{"op": "replace", "path": "/dataset/state_class", "value": "internal"},
	{"op": "add", "path": "/dataset/consented_purposes", "value": ["product.rnd"]},
])

denials := {
	"another schema": [["/schema", "access/2"], {"question.unknown_schema"}],
	"a person who left": [["/caller/active", false], {"caller.inactive"}],
	"an owner asks": [["/caller/organisation_kind", "owner"], {"caller.not_startup"}],
	"a suspended organisation": [["/caller/organisation_suspended", true], {"organisation.suspended"}],
	"another startup's agreement": [["/agreement/startup_id", "s2"], {"agreement.other_startup"}],
	"a person not named": [["/agreement/people", ["p2"]], {"agreement.not_named"}],
	"another dataset": [["/agreement/dataset_id", "d2"], {"agreement.other_dataset"}],
	"not begun": [["/agreement/valid_from_ms", 1780000000001], {"agreement.not_started"}],
	"expired this instant": [["/agreement/expires_at_ms", 1780000000000], {"agreement.expired"}],
	"ended": [["/agreement/ended", true], {"agreement.ended"}],
	"an agreed purpose asked as another": [["/agreement/purpose", "research.academic"], {"purpose.not_agreed"}],
	"a purpose not of the version": [["/dataset/purposes", ["public.service"]], {"purpose.not_allowed"}],
	"an unheard purpose": [
		["/request/purpose", "fun"],
		{"purpose.unknown", "purpose.not_agreed", "purpose.not_allowed"},
	],
	"resale": [["/request/purpose", "resale"], {"purpose.never", "purpose.not_agreed", "purpose.not_allowed"}],
	"nothing listed": [["/dataset", {"id": "d1", "listed": false}], {"version.not_listed"}],
	"an unknown mode": [["/dataset/mode", "other"], {"version.mode_unknown"}],
	"a budget not known": [
		["/dataset/mode", "dp"],
		{"budget.missing"},
	],
	"small groups": [["/dataset/k", 4], {"version.k_below_floor"}],
	"a column not agreed": [["/request/columns", ["age", "hours"]], {"columns.not_agreed"}],
	"a column gone": [["/dataset/columns", ["sex"]], {"columns.not_in_version"}],
	"an unknown basis": [["/dataset/legal_basis", "hearsay"], {"basis.unknown"}],
	"consent of nobody known": [["/dataset/legal_basis", "consent"], {"consent.missing"}],
	"a poor wallet": [["/wallet/available_vnd", 1499], {"price.over_wallet"}],
	"a low limit": [["/request/max_vnd", 1499], {"price.over_limit"}],
	"a limit in words": [["/request/max_vnd", "all"], {"price.missing"}],
	"records used up": [["/request/rows_released", 1000], {"rows.cap_reached"}],
	"records not counted": [["/request/rows_released", null], {"rows.missing"}],
	"an amount below zero": [["/request/price_vnd", -1], {"price.missing"}],
	"an object for a list": [["/agreement/people", {"first": "p1"}], {"agreement.missing"}],
	"a list of other things": [["/agreement/people", ["p1", 2]], {"agreement.missing"}],
	"before the law": [
		["/at_ms", 1751302799000],
		{"agreement.not_started", "law.not_in_force"},
	],
	"an akin purpose nobody judged": [["/dataset/purposes", ["research.health"]], {"purpose.not_allowed"}],
	"a limit nobody enforces": [["/agreement/limits", {"watermark": true}], {"obligations.unknown"}],
	"a limit in another mode": [["/agreement/limits", {"mode": "aggregate"}], {"obligations.conflict"}],
	"a limit that has expired": [["/agreement/limits", {"expires_at": 1780000000000}], {"obligations.expired"}],
	"a limit of larger groups": [["/agreement/limits", {"k_min": 11}], {"version.k_below_floor"}],
	"a limit of columns": [["/agreement/limits", {"columns": ["sex"]}], {"columns.not_agreed"}],
	"a time limit that is over": [["/dataset/conditions", {"time_limit_days": 1}], {"condition.time_limit"}],
	"too many people": [["/dataset/conditions", {"approved_users_max": 1}], {"condition.users"}],
	"another institution": [["/dataset/conditions", {"institutions": ["other"]}], {"condition.institution"}],
	"records not understood": [["/dataset/conditions", {"records": [{"column": "p", "in": []}]}], {"condition.records"}],
	"agreed records not understood": [
		["/agreement/promises/records", [{"column": "sex", "in": []}]],
		{"condition.promised_records"},
	],
	"agreed records of no column": [
		["/agreement/promises/records", [{"column": "gone", "in": ["F"]}]],
		{"condition.promised_records"},
	],
	"another place": [["/dataset/conditions", {"places": ["LA"]}], {"condition.place"}],
	"no ethics approval": [["/dataset/conditions", {"ethics_approval": true}], {"condition.ethics"}],
	"results kept": [["/dataset/conditions", {"return_results": true}], {"condition.results"}],
	"an empty name": [["/caller/person_id", ""], {"caller.missing", "agreement.not_named"}],
}

codes(reasons) := {reason.code | some reason in reasons}

test_denied[name] if {
	some name, [change, expected] in denials
	asked := json.patch(question, [{"op": "add", "path": change[0], "value": change[1]}])
	reasons := access.deny with input as asked
	codes(reasons) == expected
	not access.allow with input as asked
}

test_rows_allowed_with_obligations if {
	decision := access.decision with input as question
	decision == {
		"allow": true,
		"reasons": [],
		"valid_until": 1780000060000,
		"obligations": {
			"mode": "rows",
			"columns": ["age"],
			"k_min": 10,
			"max_rows": 990,
			"max_bytes": 16777216,
			"expires_at": 1790000000000,
			"recheck_after": 1780000060000,
			"consented_to": null,
			"row_filter": [],
			"state_class": "public",
			"personal_class": "basic",
		},
	}
}

test_consented_aggregate_allowed if {
	decision := access.decision with input as by_consent
	decision.allow
	decision.obligations.consented_to == "product.rnd"
	decision.obligations.max_rows == 10000
}

test_not_consented_denied if {
	asked := json.patch(by_consent, [{"op": "replace", "path": "/dataset/consented_purposes", "value": []}])
	decision := access.decision with input as asked
	codes(decision.reasons) == {"consent.none"}
	decision.obligations == null
	decision.valid_until == 0
}

test_limit_not_reached_allowed if {
	asked := json.patch(question, [{"op": "add", "path": "/request/max_vnd", "value": 1500}])
	access.allow with input as asked
}

test_decision_ends_with_the_agreement if {
	asked := json.patch(question, [{"op": "replace", "path": "/agreement/expires_at_ms", "value": 1780000000001}])
	access.valid_until == 1780000000001 with input as asked
}

test_nothing_known_denies if {
	not access.allow with input as {}
	reasons := access.deny with input as {}
	count(codes(reasons)) == count({fact.gate | some fact in data.facts.access})
}

test_every_gate_is_required if {
	access.gates == access.required with input as question
}

beside(obligations) := {
	"obligations": obligations,
	"persons": 1000000,
	"disclosed": false,
	"basic": true,
	"sensitive": true,
}

test_the_stricter_of_two_datasets_holds if {
	other := beside({"k_min": 7, "max_rows": 5, "columns": ["x"], "epsilon": null, "row_filter": []})
	asked := json.patch(by_consent, [
		{"op": "add", "path": "/request/beside", "value": [other]},
		{"op": "add", "path": "/dataset/conditions", "value": {"time_limit_days": 300}},
	])
	decision := access.decision with input as asked
	decision.allow
	decision.obligations.k_min == 10
	decision.obligations.max_rows == 5
	decision.obligations.columns == ["age"]
	decision.obligations.state_class == "core"
	decision.obligations.personal_class == "sensitive"
	decision.obligations.expires_at == 1785920000000
	codes(decision.reasons) == {"class.raised"}
}

test_a_filter_of_another_dataset_denies if {
	other := beside({"row_filter": [{"column": "sex", "is": "F"}]})
	asked := json.patch(by_consent, [{"op": "add", "path": "/request/beside", "value": [other]}])
	reasons := access.deny with input as asked
	codes(reasons) == {"obligations.unknown"}
}

test_a_combination_too_high_for_its_mode_denies if {
	asked := json.patch(question, [{"op": "add", "path": "/request/beside", "value": [beside({})]}])
	reasons := access.deny with input as asked
	codes(reasons) == {"class.over_ceiling"}
}

test_sensitive_columns_count if {
	asked := json.patch(question, [
		{"op": "add", "path": "/agreement/columns", "value": ["hours"]},
		{"op": "add", "path": "/request/columns", "value": ["hours"]},
		{"op": "add", "path": "/dataset/legal_basis", "value": "law"},
	])
	decision := access.decision with input as asked
	decision.obligations.state_class == "important"
	decision.obligations.personal_class == "sensitive"
}

judged(value) := json.patch(question, [
	{"op": "add", "path": "/agreement/purpose", "value": "research"},
	{"op": "add", "path": "/request/purpose", "value": "research.health"},
	{"op": "add", "path": "/dataset/purposes", "value": ["research.academic"]},
	{"op": "add", "path": "/agreement/purpose_judged", "value": value},
])

test_a_person_judges_an_akin_purpose if {
	access.allow with input as judged(true)
	reasons := access.deny with input as judged(false)
	codes(reasons) == {"purpose.needs_person"}
}

test_another_dataset_may_be_the_personal_one if {
	asked := json.patch(by_consent, [
		{"op": "add", "path": "/request/columns", "value": []},
		{"op": "add", "path": "/request/beside", "value": [object.union(beside({}), {"sensitive": false})]},
	])
	decision := access.decision with input as asked
	decision.obligations.personal_class == "basic"
}

test_a_limit_that_has_not_expired_holds if {
	limits := {"expires_at": 1780000000001}
	asked := json.patch(question, [{"op": "add", "path": "/agreement/limits", "value": limits}])
	decision := access.decision with input as asked
	decision.obligations.expires_at == 1780000000001
}

test_silence_is_a_denial if {
	asked := json.patch(question, [{"op": "add", "path": "/schema", "value": "access/2"}])
	not access.allow with input as asked with access.deny as set()
	access.allow with input as question with access.deny as set()
}

test_another_form_passes_all_gates_but_its_own if {
	asked := json.patch(question, [{"op": "add", "path": "/schema", "value": "access/2"}])
	access.required - access.gates == {"question.schema"} with input as asked
}

params(reasons) := {reason.params | some reason in reasons}

test_a_reason_names_what_it_is_about if {
	other := json.patch(question, [{"op": "add", "path": "/schema", "value": "access/2"}])
	params(access.deny) == {{"schema": "access/2"}} with input as other
	uncounted := json.patch(question, [{"op": "add", "path": "/request/rows_cap", "value": null}])
	params(access.deny) == {{"fact": "request.rows_cap"}} with input as uncounted
	unknown := json.patch(question, [{"op": "add", "path": "/dataset/legal_basis", "value": "consent"}])
	params(access.deny) == {{"fact": "dataset.consented_purposes"}} with input as unknown
}

in_dp(budget) := json.patch(question, [
	{"op": "add", "path": "/dataset/mode", "value": "dp"},
	{"op": "add", "path": "/dataset/k", "value": 1},
	{"op": "add", "path": "/budget", "value": budget},
])

test_a_budget_is_spent_to_the_last_millionth if {
	decision := access.decision with input as in_dp({"cost_micro": 500, "left_micro": 500, "epsilon": 0.25})
	decision.allow
	decision.obligations.epsilon == 0.25
}

test_a_query_over_the_budget_is_denied if {
	reasons := access.deny with input as in_dp({"cost_micro": 501, "left_micro": 500, "epsilon": 0.25})
	codes(reasons) == {"budget.spent"}
}

test_a_group_that_was_granted_in_dp_mode_denies if {
	asked := json.patch(
		in_dp({"cost_micro": 1, "left_micro": 1, "epsilon": 0.25}),
		[{"op": "add", "path": "/agreement/limits", "value": {"k_min": 2}}],
	)
	codes(access.deny) == {"version.k_below_floor"} with input as asked
}

test_the_filter_agreed_on_is_owed if {
	promised := [{"column": "sex", "in": ["F"]}]
	asked := json.patch(question, [{"op": "add", "path": "/agreement/promises/records", "value": promised}])
	decision := access.decision with input as asked
	decision.allow
	decision.obligations.row_filter == promised
}

test_no_filter_of_records_without_conditions if access.row_filter == [] with input as {}
