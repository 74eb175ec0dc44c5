package baseline

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"previewenv/statemachine"
)

func TestAServiceThatTheEdgeCannotCarryIsRefused(t *testing.T) {
	for version, refused := range map[string]bool{"": false, "HTTP1": false, "HTTP2": false, "GRPC": true} {
		f := CheckProtocol("service1", elbtypes.TargetGroup{ProtocolVersion: aws.String(version)})
		if (f != nil) != refused {
			t.Errorf("%q: %v", version, f)
		}
		if f != nil && (f.Name != statemachine.ErrBadRequest || !strings.Contains(f.What, "service1 speaks gRPC") || f.Next == "") {
			t.Errorf("%q: %v", version, f)
		}
	}
}
