# METADATA
# title: Reasons
# description: A reason takes its code, law and remedy from the METADATA of the rule that gives it.
package reason

denied(custom, params) := made(custom.code, "deny", custom, params)

warned(custom, params) := made(custom.code, "warn", custom, params)

missing(custom, gate, name) := made(concat(".", [gate, "missing"]), "deny", custom, {"fact": name})

made(code, severity, custom, params) := {
	"code": code,
	"severity": severity,
	"params": params,
	"law": custom.law[0],
	"remedy": custom.remedy,
}
