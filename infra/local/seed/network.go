package seed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// described are the parts of EC2's answers that are used.
type described struct {
	VPCs           []string `xml:"vpcSet>item>vpcId"`
	Subnets        []string `xml:"subnetSet>item>subnetId"`
	SecurityGroups []string `xml:"securityGroupInfo>item>groupId"`
}

// network finds the default VPC, its subnets and its security group.
func (s *seeder) network(ctx context.Context) error {
	found, err := s.describe(ctx, "DescribeVpcs", "isDefault", "true")
	if err != nil {
		return err
	}
	if len(found.VPCs) == 0 {
		return errors.New("find network: there is no default VPC")
	}
	s.VPC = found.VPCs[0]
	if found, err = s.describe(ctx, "DescribeSubnets", "vpc-id", s.VPC); err != nil {
		return err
	}
	s.Subnets = found.Subnets
	if found, err = s.describe(ctx, "DescribeSecurityGroups", "vpc-id", s.VPC, "group-name", "default"); err != nil {
		return err
	}
	// A load balancer wants subnets of two zones.
	if len(s.Subnets) < 2 || len(found.SecurityGroups) == 0 {
		return fmt.Errorf("find network: the default VPC has %d subnets and %d default security groups", len(s.Subnets), len(found.SecurityGroups))
	}
	s.SecurityGroup = found.SecurityGroups[0]
	return nil
}

// describe makes one call of EC2's Query API. The three calls are not worth EC2's
// SDK, which takes longer to compile than all the others together.
func (s *seeder) describe(ctx context.Context, action string, filters ...string) (described, error) {
	form := url.Values{"Action": {action}, "Version": {"2016-11-15"}}
	for i := 0; i+1 < len(filters); i += 2 {
		name := fmt.Sprintf("Filter.%d", i/2+1)
		form.Set(name+".Name", filters[i])
		form.Set(name+".Value.1", filters[i+1])
	}
	body := form.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, *s.Config.BaseEndpoint+"/", strings.NewReader(body))
	if err != nil {
		return described{}, fmt.Errorf("call %s: %w", action, err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	credentials, err := s.Config.Credentials.Retrieve(ctx)
	if err != nil {
		return described{}, fmt.Errorf("call %s: %w", action, err)
	}
	sum := sha256.Sum256([]byte(body))
	// The emulator reads service and Region out of the signature.
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), "ec2", s.Config.Region, time.Now()); err != nil {
		return described{}, fmt.Errorf("sign %s: %w", action, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return described{}, fmt.Errorf("call %s: %w", action, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return described{}, fmt.Errorf("read answer of %s: %w", action, err)
	}
	if response.StatusCode != http.StatusOK {
		return described{}, fmt.Errorf("call %s: %s: %s", action, response.Status, answer)
	}
	var found described
	if err := xml.Unmarshal(answer, &found); err != nil {
		return described{}, fmt.Errorf("read answer of %s: %w", action, err)
	}
	return found, nil
}
