# METADATA
# title: Dates
# description: >-
#   Compares the law's dates ("2021-05-18", or an instant "2021-05-18T00:00:00Z") with the facts'
#   time. Both are fixed-width ISO 8601 in UTC, so their text order is their order in time. A date
#   that is not well-formed is neither reached nor ahead.
# scope: package
package usage.dates

# METADATA
# title: Whether the date is now or past
reached(date) if {
	date <= input.time.now
	shape(date) in {"0000-00-00", "0000-00-00T00:00:00Z"}
}

# METADATA
# title: Whether the date is still to come
ahead(date) if {
	input.time.now < date
	shape(date) in {"0000-00-00", "0000-00-00T00:00:00Z"}
}

# One short expression: the engines compile it anew at every call.
shape(date) := regex.replace(date, `[0-9]`, "0") if is_string(date)
