package config

import (
	"net/url"
	"strings"
)

// BaseDomain is the domain below which every environment lies: the host of
// PreviewURL without its label and its port.
func (n Names) BaseDomain() string {
	u, err := url.Parse(strings.ReplaceAll(n.PreviewURL, "{label}", "label"))
	if err != nil {
		return "" // the guard refuses every host then
	}
	_, domain, _ := strings.Cut(u.Hostname(), ".")
	return domain
}
