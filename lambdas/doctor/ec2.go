package doctor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
)

// described are the parts of EC2's answers that are used.
type described struct {
	Subnets []struct {
		ID     string `xml:"subnetId"`
		Zone   string `xml:"availabilityZone"`
		ZoneID string `xml:"availabilityZoneId"`
	} `xml:"subnetSet>item"`
	Groups []struct {
		ID      string    `xml:"groupId"`
		Ingress []ingress `xml:"ipPermissions>item"`
	} `xml:"securityGroupInfo>item"`
	PrefixLists []string `xml:"prefixListSet>item>prefixListId"`
	Gateways    []string `xml:"internetGatewaySet>item>internetGatewayId"`
}

// ingress is one rule of a security group.
type ingress struct {
	Protocol    string   `xml:"ipProtocol"` // -1 is every one
	From        *int     `xml:"fromPort"`
	To          *int     `xml:"toPort"`
	Groups      []string `xml:"groups>item>groupId"`
	Ranges      []string `xml:"ipRanges>item>cidrIp"`
	PrefixLists []string `xml:"prefixListIds>item>prefixListId"`
}

// ec2 makes one call of EC2's Query API. Four calls are not worth EC2's SDK, which
// takes longer to compile than all the others together.
func (d *doctor) ec2(ctx context.Context, action string, parameters url.Values) (described, error) {
	failed := func(err error) (described, error) {
		return described{}, &smithy.OperationError{ServiceID: "EC2", OperationName: action, Err: err}
	}
	parameters.Set("Action", action)
	parameters.Set("Version", "2016-11-15")
	body := parameters.Encode()
	endpoint := "https://ec2." + d.region + ".amazonaws.com"
	if d.Config.BaseEndpoint != nil {
		endpoint = *d.Config.BaseEndpoint
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+"/", strings.NewReader(body))
	if err != nil {
		return failed(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	credentials, err := d.Config.Credentials.Retrieve(ctx)
	if err != nil {
		return failed(err)
	}
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), "ec2", d.region, time.Now()); err != nil {
		return failed(err)
	}
	response, err := d.HTTP.Do(request)
	if err != nil {
		return failed(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return failed(err)
	}
	if response.StatusCode != http.StatusOK {
		var refused struct {
			Code    string `xml:"Errors>Error>Code"`
			Message string `xml:"Errors>Error>Message"`
		}
		if err := xml.Unmarshal(answer, &refused); err != nil || refused.Code == "" {
			return failed(fmt.Errorf("status %d", response.StatusCode))
		}
		return failed(&smithy.GenericAPIError{Code: refused.Code, Message: refused.Message})
	}
	var found described
	if err := xml.Unmarshal(answer, &found); err != nil {
		return failed(err)
	}
	return found, nil
}

// listed are the numbered parameters of a list.
func listed(name string, values []string) url.Values {
	parameters := url.Values{}
	for i, value := range values {
		parameters.Set(fmt.Sprintf("%s.%d", name, i+1), value)
	}
	return parameters
}

// filtered are the parameters of filters, name and value in turn.
func filtered(pairs ...string) url.Values {
	parameters := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		name := fmt.Sprintf("Filter.%d", i/2+1)
		parameters.Set(name+".Name", pairs[i])
		parameters.Set(name+".Value.1", pairs[i+1])
	}
	return parameters
}
