package route

// Spec is what the edge has to know of an environment.
type Spec struct {
	Store string `json:"store"` // KeyValueStore ARN
	Label string `json:"label"` // the key
	URL   string `json:"url"`   // of the environment, without a slash at the end
	Value Value  `json:"value"` // the value, once everything is there
	// Probes are the overrides that must answer through the URL before the
	// environment is ready.
	Probes []Probe `json:"probes"`
}

// Value is the pointer that the viewer functions read: at most 1 KB as JSON
// (docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html).
type Value struct {
	State     string   `json:"state"` // starting, live or gone
	Commit    string   `json:"commit,omitempty"`
	Frontend  string   `json:"frontend,omitempty"`  // prefix of the own frontend, without slashes at the ends; empty is the default one
	Overrides []string `json:"overrides,omitempty"` // services that the environment runs itself, sorted
}

// States of a Value.
const (
	Starting = "starting"
	Live     = "live"
	Gone     = "gone"
)

// Probe is one request through the public URL.
type Probe struct {
	Service string `json:"service"`
	Path    string `json:"path"`
	// Statuses are those of a right answer; none is everything below 500.
	Statuses []int `json:"statuses,omitempty"`
}
