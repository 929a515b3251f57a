# METADATA
# title: The meet of obligations
# description: >-
#   Every source of obligations (version, law, agreement, conditions, other datasets of the query) gives what it
#   knows; the stricter holds on each axis. An axis that no source speaks of is undefined.
package meet

import data.fact

# An obligation that the sandbox does not enforce, or of another form than it knows, is unknown: it denies.
unknown(sources) := {axis |
	some source in sources
	some axis, value in source
	not fact.known(object.get(data.limits.enforced, axis, "none"), value)
}

# Axes on which all sources have to say the same.
conflicts(sources) := {axis |
	some axis in ["mode", "consented_to"]
	count({source[axis] | some source in sources}) > 1
}

columns(sources) := intersection({named |
	some source in sources
	source.columns
	named := {column | some column in source.columns}
})

filters(sources) := sort({filter |
	some source in sources
	some filter in source.row_filter
})

largest(sources, axis) := max({source[axis] | some source in sources})

smallest(sources, axis) := min({source[axis] | some source in sources})
