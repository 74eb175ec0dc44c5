package wildcard

import "testing"

func TestFits(t *testing.T) {
	for _, test := range []struct {
		rule       string
		pattern, s string
		want       bool
	}{
		{"the same", "/service1", "/service1", true},
		{"case counts", "/service1", "/Service1", false},
		{"no prefix match without a star", "/service1", "/service1/x", false},
		{"a star is many", "/service1/*", "/service1/a/b", true},
		{"a star is none", "/service1/*", "/service1/", true},
		{"what is before the star has to be there", "/service1/*", "/service1", false},
		{"a question mark is one", "/v?/x", "/v1/x", true},
		{"a question mark is not none", "/v?/x", "/v/x", false},
		{"a star tries again", "*.js", "/a.js/b.js", true},
		{"two stars", "/*/api/*", "/x/y/api/z", true},
		{"a star in the text is a letter", "a*b", "a*c*b", true},
		{"nothing fits an empty pattern but nothing", "", "x", false},
		{"stars fit nothing", "**", "", true},
	} {
		t.Run(test.rule, func(t *testing.T) {
			if got := Fits(test.pattern, test.s); got != test.want {
				t.Errorf("Fits(%q, %q) = %t", test.pattern, test.s, got)
			}
		})
	}
}
