package catalog

import (
	"encoding/json"
	"fmt"
	"time"
)

// MarshalJSON writes the duration as Go does: "1h0m0s".
func (d Duration) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(d).String())
}

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("read duration: %w", err)
	}
	parsed, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("read duration: %w", err)
	}
	*d = Duration(parsed)
	return nil
}

// String is the duration as a person writes it: 24h, 90s.
func (d Duration) String() string {
	v := time.Duration(d)
	switch {
	case v == 0:
		return "0"
	case v%time.Hour == 0:
		return fmt.Sprintf("%dh", v/time.Hour)
	case v%time.Minute == 0:
		return fmt.Sprintf("%dm", v/time.Minute)
	case v%time.Second == 0:
		return fmt.Sprintf("%ds", v/time.Second)
	default:
		return v.String()
	}
}

// defaultBuildTimeout is that of a build which names none.
const defaultBuildTimeout = 15 * time.Minute

// Architectures that a build may be for.
const (
	ARM64 = "arm64"
	X86   = "x86_64"
)

// For is the architecture that a build is for.
func (b Build) For() string {
	if b.Architecture == "" {
		return X86
	}
	return b.Architecture
}

// Limit is how long a build may take: its timeout, or 15 minutes. CodeBuild's own
// clock knows whole minutes from 5 on, so a project must round it up.
func (b Build) Limit() time.Duration {
	if b.Timeout == 0 {
		return defaultBuildTimeout
	}
	return time.Duration(b.Timeout)
}
