package rule

// Spec is a host-and-path rule that forwards to one target group.
type Spec struct {
	Listener string   `json:"listener"` // ARN
	Host     string   `json:"host"`     // exactly <label>.<base domain>
	Paths    []string `json:"paths"`    // at most 4
	Band     [2]int   `json:"band"`     // first and last priority reserved for overrides
	// TargetGroup is the "kind/name" key of the target group among the needs.
	TargetGroup string `json:"targetGroup"`
}
