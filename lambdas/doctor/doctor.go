// Package doctor looks at an account, or at the local stack, for what a preview would
// fail at, before anybody waits for a build: it reads the catalog, describes what the
// catalog names, clones each service on paper and asks IAM what its roles may. It
// changes nothing, and each of its checks stands alone. It knows what the suite needs
// of a baseline; it knows nothing of environments.
package doctor

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/baseline"
)

// Options say what is looked at.
type Options struct {
	// Config has the credentials; its Region is replaced by that of the listener.
	Config  aws.Config
	Catalog *catalog.Catalog
	// Prefix starts the name of everything that the suite makes.
	Prefix string
	// Local is the local stack, which has no edge, no network and no roles.
	Local bool
	// Tokens lets the values of the Slack and GitHub tokens be read, to ask either what
	// the token may do. They are sent to their owners alone.
	Tokens bool
	// Slack and GitHub are where either is asked; empty is the real one.
	Slack, GitHub string
	HTTP          *http.Client
	LookupNS      func(ctx context.Context, zone string) ([]*net.NS, error)
	Now           func() time.Time
}

// Level says how bad a finding is.
type Level string

// The levels. Only the first makes a report bad.
const (
	Fails      Level = "fails"       // a deployment or a preview would not work
	Warns      Level = "warns"       // it works, and somebody will be surprised
	NotChecked Level = "not checked" // nobody knows
)

// Finding is one thing that somebody should know.
type Finding struct {
	Name  string `json:"name"` // stable, for scripts
	Level Level  `json:"level"`
	About string `json:"about,omitempty"` // the service, role or rule
	Seen  string `json:"seen"`
	Do    string `json:"do,omitempty"` // a command of the AWS CLI where one does it
}

// Check is what one check saw and found. Seen is what was good.
type Check struct {
	Name     string    `json:"name"`
	Seen     string    `json:"seen,omitempty"`
	Findings []Finding `json:"findings,omitempty"`
}

// Report is what all checks found.
type Report struct {
	Account string  `json:"account,omitempty"`
	Region  string  `json:"region"`
	Good    bool    `json:"good"` // nothing would fail
	Checks  []Check `json:"checks"`
	// Stopped is why nothing else was looked at, in one line.
	Stopped string `json:"stopped,omitempty"`
}

// doctor is one run.
type doctor struct {
	Options
	clients
	account, region string // of the listener
	read            *baseline.Reader
	known           known
}

// checks are all of them, in the order of the report.
var checks = []struct {
	name    string
	account bool // the local stack has nothing of it
	run     func(*doctor, context.Context, *sheet)
}{
	{name: "services", run: (*doctor).services},
	{name: "log groups", run: (*doctor).logGroups},
	{name: "health checks", run: (*doctor).healthChecks},
	{name: "roles", account: true, run: (*doctor).roles},
	{name: "queues", run: (*doctor).queues},
	{name: "listener", run: (*doctor).balancer},
	{name: "listener certificate", account: true, run: (*doctor).listenerCertificate},
	{name: "rules", run: (*doctor).rules},
	{name: "network", account: true, run: (*doctor).network},
	{name: "room", run: (*doctor).room},
	{name: "build quota", account: true, run: (*doctor).buildQuota},
	{name: "secrets", run: (*doctor).secrets},
	{name: "Slack token", account: true, run: (*doctor).slackToken},
	{name: "GitHub token", account: true, run: (*doctor).gitHubToken},
	{name: "connection", account: true, run: (*doctor).connection},
	{name: "edge certificate", account: true, run: (*doctor).edgeCertificate},
	{name: "DNS", account: true, run: (*doctor).names},
	{name: "bootstrap", account: true, run: (*doctor).bootstrap},
}

// Run makes all checks. Without credentials for the account of the listener it makes
// none, and says why in Report.Stopped.
func Run(ctx context.Context, o Options) Report {
	d := newDoctor(o)
	report := Report{Region: d.region, Good: true}
	first := sheet{Check: Check{Name: "credentials"}}
	report.Account = d.credentials(ctx, &first)
	report.Checks = append(report.Checks, first.Check)
	if len(first.Findings) > 0 {
		report.Good, report.Stopped = false, first.Findings[0].Seen+" "+first.Findings[0].Do
		return report
	}
	var skipped []string
	for _, c := range checks {
		if c.account && (d.Local || d.Catalog.Installation == nil) {
			skipped = append(skipped, c.name)
			continue
		}
		s := sheet{Check: Check{Name: c.name}}
		c.run(d, ctx, &s)
		for _, f := range s.Findings {
			report.Good = report.Good && f.Level != Fails
		}
		report.Checks = append(report.Checks, s.Check)
	}
	if len(skipped) > 0 {
		s := sheet{Check: Check{Name: "the rest"}}
		s.add(Finding{Name: "not-here", Level: NotChecked, Seen: "the local stack has nothing of " + strings.Join(skipped, ", ")})
		report.Checks = append(report.Checks, s.Check)
	}
	return report
}

func newDoctor(o Options) *doctor {
	d := &doctor{Options: o}
	d.region, d.account = place(o.Catalog.Baseline.Listeners[0])
	d.Config = o.Config.Copy()
	d.Config.Region = d.region
	d.clients = newClients(d.Config)
	if d.HTTP == nil {
		d.HTTP = &http.Client{Timeout: askTimeout}
	}
	if d.LookupNS == nil {
		d.LookupNS = net.DefaultResolver.LookupNS
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	d.read = &baseline.Reader{ECS: d.ECS, ELB: d.ELB, SQS: d.SQS}
	return d
}
