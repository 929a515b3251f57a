# METADATA
# title: Classes
# description: >-
#   The state axis public < internal < important < core, by how many people the undisclosed columns tell of; the
#   personal axis none < basic < sensitive, by the columns. The thresholds are those of the law in force.
package classes

rank := {"public": 0, "internal": 1, "important": 2, "core": 3}

names := ["public", "internal", "important", "core"]

# `shown`: {disclosed, basic, sensitive, persons}. What is public already stays public.
state(shown, _) := "public" if shown.disclosed

state(shown, thresholds) := names[max({1} | reached(shown, thresholds))] if not shown.disclosed

reached(shown, thresholds) := {level |
	some kind in ["basic", "sensitive"]
	shown[kind]
	some class, persons in thresholds[kind]
	shown.persons >= persons
	level := rank[class]
}

personal(shown) := "sensitive" if shown.sensitive

personal(shown) := "basic" if {
	shown.basic
	not shown.sensitive
}

personal(shown) := "none" if {
	not shown.basic
	not shown.sensitive
}

personal_rank := {"none": 0, "basic": 1, "sensitive": 2}

more_personal(class, than) if personal_rank[class] > personal_rank[than]

higher(class, than) if rank[class] > rank[than]

at_most(class, ceiling) if rank[class] <= rank[ceiling]
