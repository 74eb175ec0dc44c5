package config

// MetricNamespace is where alarms and the dashboard find what the functions report.
const MetricNamespace = "PreviewEnvironments"

// The metrics in it, each a part of a log line; the last is in seconds.
const (
	MetricSweeps       = "Sweeps"       // sweeps of the reaper that looked at everything
	MetricEnvironments = "Environments" // that live, as a sweep saw them
	MetricEnded        = "Ended"        // environments that a sweep took over
	MetricLeaks        = "Leaks"        // resources without an environment
	MetricRemoved      = "Removed"      // resources that a sweep removed
	MetricLeft         = "Left"         // resources that a sweep could not remove
	MetricHeld         = "Held"         // resources that a sweep would remove, were they not so many
	MetricProblems     = "Problems"     // what a sweep could not look at
	MetricLeftBehind   = "LeftBehind"   // resources that a removal gave up
	MetricRefused      = "Refused"      // status messages that Slack refused for the app itself
	MetricReady        = "ReadySeconds" // from asked for to ready
)
