package purpose_test

import data.purpose

matches := {
	"itself": ["research.health", ["product.rnd", "research.health"], "yes"],
	"within what is allowed": ["research.health", ["research"], "yes"],
	"a group that is allowed": ["research", ["research"], "yes"],
	"broader than what is allowed": ["research", ["research.health"], "person"],
	"beside what is allowed": ["research.academic", ["research.health"], "person"],
	"another": ["product.rnd", ["research.health"], "no"],
	"a group of others": ["research", ["product.rnd"], "no"],
	"nothing is allowed": ["product.rnd", [], "no"],
	"unheard of": ["fun", ["research"], "no"],
}

test_match[name] if {
	some name, [asked, allowed, expected] in matches
	purpose.match(asked, allowed) == expected
}
