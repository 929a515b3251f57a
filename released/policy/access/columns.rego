package access

import data.meet
import data.reason

# METADATA
# title: Every column read is agreed
# description: The owner agreed to these columns and no others.
# custom:
#   code: columns.agreed
#   facts: [agreement.columns, request.columns]
#   source: agreement.columns
#   law: [decree-356-2025.consent]
gates contains "columns.agreed" if {
	is_array(input.agreement.columns)
	is_array(input.request.columns)
	count(asked_columns - agreed_columns) == 0
}

# METADATA
# title: Every column read is in the version
# description: A later version may have lost a column that was agreed.
# custom:
#   code: columns.in_version
#   facts: [dataset.columns, request.columns]
#   source: version.json columns
#   law: [data-law-60-2024.42]
gates contains "columns.in_version" if {
	is_array(input.dataset.columns)
	is_array(input.request.columns)
	count(asked_columns - version_columns) == 0
}

# METADATA
# title: A column is read that was not agreed
# description: The gate columns.agreed does not hold; every such column is named.
# custom:
#   code: columns.not_agreed
#   gate: columns.agreed
#   facts: [agreement.columns, request.columns]
#   source: agreement.columns
#   law: [decree-356-2025.consent]
#   remedy: columns.drop
deny contains reason.denied(rego.metadata.rule().custom, {"columns": extra}) if {
	is_array(input.agreement.columns)
	extra := [column | some column in input.request.columns; not agreed_columns[column]]
	count(extra) > 0
}

# METADATA
# title: A column is read that the version does not have
# description: The gate columns.in_version does not hold; every such column is named.
# custom:
#   code: columns.not_in_version
#   gate: columns.in_version
#   facts: [dataset.columns, request.columns]
#   source: version.json columns
#   law: [data-law-60-2024.42]
#   remedy: columns.drop
deny contains reason.denied(rego.metadata.rule().custom, {"columns": extra}) if {
	is_array(input.dataset.columns)
	extra := [column | some column in input.request.columns; not version_columns[column]]
	count(extra) > 0
}

agreed_columns := meet.columns(array.concat([{"columns": input.agreement.columns}], granted))

asked_columns := {column | some column in input.request.columns}

# As sets, looked up by key: in the module, `in` goes through a set from its start, which takes seconds for thousands.
version_columns := {column | some column in input.dataset.columns}
