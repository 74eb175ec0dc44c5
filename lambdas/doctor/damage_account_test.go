package doctor

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	connectiontypes "github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	"previewenv/lambdas/internal/awstest"
)

func TestADamagedAccountIsNamed(t *testing.T) { findsOnly(t, accountDamages) }

var accountDamages = []damage{
	{"an account that runs one build at once", "few-builds-at-once", func(w *world) func() { return w.answered("GetServiceQuota", quota(1)) }},
	{"a secret that is not there", "secret-missing", func(w *world) func() {
		w.drop(true)
		return func() {
			_, err := w.Secrets.CreateSecret(w.t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("pv/" + signingSecret), SecretString: aws.String("value-of-it")})
			w.must(err)
		}
	}},
	{"a secret that is about to be deleted", "secret-deleted", func(w *world) func() {
		w.drop(false)
		return func() {
			_, err := w.Secrets.RestoreSecret(w.t.Context(), &secretsmanager.RestoreSecretInput{SecretId: aws.String("pv/" + signingSecret)})
			w.must(err)
		}
	}},
	{"a secret without a value", "secret-empty", func(w *world) func() {
		return w.edit("DescribeSecret", func(out any) { out.(*secretsmanager.DescribeSecretOutput).VersionIdsToStages = nil })
	}},
	{"a Slack token that Slack refuses", "slack-refuses", func(w *world) func() {
		return w.slackSays("chat:write,commands", `{"ok":false,"error":"token_revoked"}`)
	}},
	{"a Slack app without a scope", "slack-scope-missing", func(w *world) func() {
		return w.slackSays("commands", `{"ok":true}`)
	}},
	{"a GitHub token that has expired", "github-refuses", func(w *world) func() { return w.gitHubSays("", http.StatusUnauthorized) }},
	{"a repository that the GitHub token may not see", "repository-not-seen", func(w *world) func() { return w.gitHubSays("", http.StatusNotFound) }},
	{"a GitHub token that may not read contents", "github-right-missing", func(w *world) func() {
		return w.gitHubSays("/commits", http.StatusForbidden)
	}},
	{"a GitHub token that may not read pull requests", "github-right-missing", func(w *world) func() {
		return w.gitHubSays("/pulls", http.StatusNotFound)
	}},
	{"a connection that is not there", "connection-missing", func(w *world) func() {
		return w.answered("GetConnection", &smithy.GenericAPIError{Code: "ResourceNotFoundException"})
	}},
	{"a connection that nobody completed", "connection-not-available", func(w *world) func() {
		return w.answered("GetConnection", connection(connectiontypes.ConnectionStatusPending))
	}},
	{"a certificate of the edge that is not there", "edge-certificate-missing", func(w *world) func() {
		arn := w.catalog.Installation.Certificate
		return w.edgeHas(arn[:len(arn)-4] + "0000")
	}},
	{"a certificate of the edge for another domain", "edge-certificate-misses-domain", func(w *world) func() { return w.edgeHas(w.cert) }},
	{"a certificate of the edge that waits for its validation", "edge-certificate-not-issued", func(w *world) func() {
		out, err := w.ACM.RequestCertificate(w.t.Context(), &acm.RequestCertificateInput{
			DomainName: aws.String("*." + domain), ValidationMethod: acmtypes.ValidationMethodDns,
		})
		w.must(err)
		return w.edgeHas(*out.CertificateArn)
	}},
	{"a certificate of the edge that ends next week", "certificate-expires", func(w *world) func() {
		return w.edgeHas(w.certificate("*."+domain, 7*24*time.Hour))
	}},
	{"a hosted zone that is not there", "zone-missing", func(w *world) func() { return w.inZone("Z0000000000000000000") }},
	{"a hosted zone of another name", "zone-of-another-name", func(w *world) func() {
		return w.inZone(w.newZone("example.org", nil))
	}},
	{"a hosted zone of a VPC", "zone-private", func(w *world) func() {
		return w.inZone(w.newZone("example.com", &types.VPC{VPCId: &w.VPC, VPCRegion: awstest.Region}))
	}},
	{"a hosted zone that the world does not know", "zone-not-delegated", func(w *world) func() {
		before := w.options.LookupNS
		w.options.LookupNS = func(context.Context, string) ([]*net.NS, error) { return nil, errors.New("no such host") }
		return func() { w.options.LookupNS = before }
	}},
	{"a wildcard that leads elsewhere", "wildcard-taken", func(w *world) func() {
		w.record(types.ChangeActionCreate, "elsewhere.example.com")
		return func() { w.record(types.ChangeActionDelete, "elsewhere.example.com") }
	}},
	{"an account that the CDK does not know", "not-bootstrapped", func(w *world) func() {
		const name = "/cdk-bootstrap/hnb659fds/version"
		_, err := w.SSM.DeleteParameter(w.t.Context(), &ssm.DeleteParameterInput{Name: aws.String(name)})
		w.must(err)
		return func() {
			_, err := w.SSM.PutParameter(w.t.Context(), &ssm.PutParameterInput{Name: aws.String(name), Value: aws.String("28"), Type: "String"})
			w.must(err)
		}
	}},
}

func (w *world) drop(forEver bool) {
	_, err := w.Secrets.DeleteSecret(w.t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("pv/" + signingSecret), ForceDeleteWithoutRecovery: &forEver})
	w.must(err)
}

func (w *world) slackSays(scopes, body string) (undo func()) {
	before := w.slack
	w.slack = func(r http.ResponseWriter) {
		r.Header().Set("X-OAuth-Scopes", scopes)
		_, _ = r.Write([]byte(body))
	}
	return func() { w.slack = before }
}

func (w *world) gitHubSays(path string, status int) (undo func()) {
	w.github[path] = status
	return func() { delete(w.github, path) }
}

func (w *world) edgeHas(certificate string) (undo func()) {
	before := w.catalog.Installation.Certificate
	w.catalog.Installation.Certificate = certificate
	return func() { w.catalog.Installation.Certificate = before }
}

func (w *world) inZone(id string) (undo func()) {
	before := w.zone
	w.zone, w.catalog.Installation.HostedZone.ID = id, id
	return func() { w.zone, w.catalog.Installation.HostedZone.ID = before, before }
}

func (w *world) newZone(name string, vpc *types.VPC) string {
	in := &route53.CreateHostedZoneInput{Name: &name, CallerReference: aws.String(w.t.Name()), VPC: vpc}
	if vpc != nil {
		in.HostedZoneConfig = &types.HostedZoneConfig{PrivateZone: true}
	}
	out, err := w.Route53.CreateHostedZone(w.t.Context(), in)
	w.must(err)
	return (*out.HostedZone.Id)[len("/hostedzone/"):]
}

func (w *world) record(action types.ChangeAction, value string) {
	_, err := w.Route53.ChangeResourceRecordSets(w.t.Context(), &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: &w.zone, ChangeBatch: &types.ChangeBatch{Changes: []types.Change{{Action: action, ResourceRecordSet: &types.ResourceRecordSet{
			Name: aws.String("*." + domain), Type: types.RRTypeCname, TTL: aws.Int64(60), ResourceRecords: []types.ResourceRecord{{Value: &value}},
		}}}},
	})
	w.must(err)
}
