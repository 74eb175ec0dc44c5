package function

import "strings"

// Every process has an access key of its own, such as "rule.3", so that whoever
// sees its calls may ask what they are for, and end it.

// Serving is the payload that the process with an access key works on; nil if it
// works on none, or is none of ours.
func (f *Functions) Serving(key string) []byte {
	if s := f.find(key); s != nil {
		return s.serving()
	}
	return nil
}

// Kill ends the process with an access key, in the middle of whatever it does.
func (f *Functions) Kill(key string) {
	if s := f.find(key); s != nil {
		s.child.Kill()
	}
}

// Doom ends the process with an access key when it gives its next answer, which is
// lost.
func (f *Functions) Doom(key string) {
	if s := f.find(key); s != nil {
		s.doom()
	}
}

func (f *Functions) find(key string) *sandbox {
	name, _, _ := strings.Cut(key, ".")
	if p, ok := f.pools[name]; ok {
		return p.find(key)
	}
	return nil
}

// Restart ends the idle processes: the next invocations are cold starts.
func (f *Functions) Restart() {
	for _, p := range f.pools {
		p.restart()
	}
}
