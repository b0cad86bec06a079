package usage.dates_test

import data.usage.dates

now := {"time": {"now": "2026-11-22T00:35:37Z"}}

test_reached_is_inclusive if {
	every date in ["2026-11-22", "2026-11-22T00:35:37Z", "2020-06-10"] {
		dates.reached(date) with input as now
		not later(date)
	}
}

test_ahead_is_exclusive if {
	every date in ["2026-11-23", "2026-11-22T00:35:38Z", "2027-01-01"] {
		dates.ahead(date) with input as now
		not earlier(date)
	}
}

test_what_is_no_date_is_neither if {
	every date in ["", "18 May 2021", "2021-5-18", "2021-05-18T00:00", "2021-05-18T00:00:00+01:00", "soon", 2021, null, ["2021-05-18"]] {
		not later(date)
		not earlier(date)
	}
}

later(date) if dates.ahead(date) with input as now

earlier(date) if dates.reached(date) with input as now
