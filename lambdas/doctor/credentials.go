package doctor

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// credentials returns the account that they are of. Whatever it finds ends the run:
// without the right credentials every other check would find the same.
func (d *doctor) credentials(ctx context.Context, s *sheet) string {
	const look = "make doctor LOCAL=1 looks at the local stack instead."
	if d.Config.Credentials == nil {
		s.fails("no-credentials", "", "There are no AWS credentials.", "Set AWS_PROFILE, or log in (aws sso login). "+look)
		return ""
	}
	if _, err := d.Config.Credentials.Retrieve(ctx); err != nil {
		s.fails("no-credentials", "", "There are no AWS credentials.", "Set AWS_PROFILE, or log in (aws sso login). "+look)
		return ""
	}
	out, err := d.STS.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	switch code := codeOf(err); {
	case code != "":
		s.fails("credentials-refused", "", fmt.Sprintf("AWS refuses the credentials (%s).", code), "Log in again (aws sso login). "+look)
		return ""
	case err != nil:
		s.fails("no-answer", "", "AWS does not answer: the network, or a proxy.", look)
		return ""
	}
	account := aws.ToString(out.Account)
	if account != d.account {
		s.fails("wrong-account", "",
			fmt.Sprintf("The credentials are of account %s, and the catalog's listener is in %s.", account, d.account),
			"Set AWS_PROFILE to one of that account, or correct baseline.listeners.")
		return account
	}
	s.good("%s in account %s, %s", aws.ToString(out.Arn), account, d.region)
	return account
}
