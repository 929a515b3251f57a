package agreement

import data.reason

# METADATA
# title: The question is of the form this policy knows
# description: A question of another form could mean another thing by the same name.
# custom:
#   code: question.schema
#   facts: [question.schema]
#   source: policies.decision.AgreementQuestion
#   law: [data-law-60-2024.42]
gates contains "question.schema" if {
	input.schema == "agreement/1"
}

# METADATA
# title: The applicant is active
# description: A person who left their organisation applies for nothing.
# custom:
#   code: applicant.active
#   facts: [applicant.active]
#   source: person.deactivated_at
#   law: [decree-69-2024.accounts]
gates contains "applicant.active" if {
	input.applicant.active == true
}

# METADATA
# title: The applicant is of a startup
# description: Only a startup can be the buying side of an agreement.
# custom:
#   code: applicant.startup
#   facts: [applicant.organisation_kind]
#   source: the applicant's organisation
#   law: [decree-169-2025.32-33]
gates contains "applicant.startup" if {
	input.applicant.organisation_kind == "startup"
}

# METADATA
# title: The applicant's organisation is not suspended
# description: A suspended organisation agrees to nothing new.
# custom:
#   code: applicant.not_suspended
#   facts: [applicant.organisation_suspended]
#   source: organisation.suspended_at
#   law: [data-law-60-2024.42]
gates contains "applicant.not_suspended" if {
	input.applicant.organisation_suspended == false
}

# METADATA
# title: The owner is not suspended
# description: A suspended owner sells nothing new.
# custom:
#   code: owner.not_suspended
#   facts: [owner.suspended]
#   source: organisation.suspended_at
#   law: [data-law-60-2024.42]
gates contains "owner.not_suspended" if {
	input.owner.suspended == false
}

# METADATA
# title: The question is of another form
# description: The gate question.schema does not hold.
# custom:
#   code: question.unknown_schema
#   gate: question.schema
#   facts: [question.schema]
#   source: policies.decision.AgreementQuestion
#   law: [data-law-60-2024.42]
#   remedy: operator.tell
deny contains reason.denied(rego.metadata.rule().custom, {"schema": input.schema}) if {
	input.schema != "agreement/1"
}

# METADATA
# title: The applicant is not active
# description: The gate applicant.active does not hold.
# custom:
#   code: applicant.inactive
#   gate: applicant.active
#   facts: [applicant.active]
#   source: person.deactivated_at
#   law: [decree-69-2024.accounts]
#   remedy: account.activate
deny contains reason.denied(rego.metadata.rule().custom, {}) if {
	input.applicant.active == false
}

# METADATA
# title: The applicant is not of a startup
# description: The gate applicant.startup does not hold.
# custom:
#   code: applicant.not_startup
#   gate: applicant.startup
#   facts: [applicant.organisation_kind]
#   source: the applicant's organisation
#   law: [decree-169-2025.32-33]
#   remedy: account.startup
deny contains reason.denied(rego.metadata.rule().custom, {}) if {
	is_string(input.applicant.organisation_kind)
	input.applicant.organisation_kind != "startup"
}

# METADATA
# title: The applicant's organisation is suspended
# description: The gate applicant.not_suspended does not hold.
# custom:
#   code: applicant.suspended
#   gate: applicant.not_suspended
#   facts: [applicant.organisation_suspended]
#   source: organisation.suspended_at
#   law: [data-law-60-2024.42]
#   remedy: organisation.restore
deny contains reason.denied(rego.metadata.rule().custom, {}) if {
	input.applicant.organisation_suspended == true
}

# METADATA
# title: The owner is suspended
# description: The gate owner.not_suspended does not hold.
# custom:
#   code: owner.suspended
#   gate: owner.not_suspended
#   facts: [owner.suspended]
#   source: organisation.suspended_at
#   law: [data-law-60-2024.42]
#   remedy: organisation.restore
deny contains reason.denied(rego.metadata.rule().custom, {}) if {
	input.owner.suspended == true
}
