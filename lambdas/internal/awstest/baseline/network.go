package baseline

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"previewenv/lambdas/internal/awstest"
)

// Network is the VPC that every new account has.
type Network struct {
	VPC            string
	Subnets        []string
	SecurityGroups []string
}

// SeedNetwork finds the default VPC.
func SeedNetwork(t testing.TB, cfg aws.Config) Network {
	t.Helper()
	var subnets struct {
		Items []struct {
			ID  string `xml:"subnetId"`
			VPC string `xml:"vpcId"`
		} `xml:"subnetSet>item"`
	}
	ask(t, cfg, "DescribeSubnets", &subnets)
	var groups struct {
		Items []struct {
			ID string `xml:"groupId"`
		} `xml:"securityGroupInfo>item"`
	}
	ask(t, cfg, "DescribeSecurityGroups", &groups)
	if len(subnets.Items) < 2 || len(groups.Items) < 1 {
		t.Fatalf("default VPC has %d subnets and %d security groups, want 2 and 1", len(subnets.Items), len(groups.Items))
	}
	network := Network{VPC: subnets.Items[0].VPC, SecurityGroups: []string{groups.Items[0].ID}}
	for _, subnet := range subnets.Items[:2] {
		network.Subnets = append(network.Subnets, subnet.ID)
	}
	return network
}

// ask reads of EC2 by a plain request: its client takes longer to compile than all
// the others together.
func ask(t testing.TB, cfg aws.Config, action string, answer any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, *cfg.BaseEndpoint,
		strings.NewReader(url.Values{"Action": {action}, "Version": {"2016-11-15"}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/"+awstest.Region+
		"/ec2/aws4_request, SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(body, answer); err != nil {
		t.Fatalf("%s: %v: %s", action, err, body)
	}
}
