package seed

import (
	"context"
	"fmt"
	"io/fs"
	"mime"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// defaultFrontend is the prefix, in the site bucket, of the frontend that a host
// without one of its own gets.
const defaultFrontend = "default"

func (s *seeder) buckets(ctx context.Context) error {
	s.Site, s.Artifacts, s.Sources = s.Prefix+"-site-"+Account, s.Prefix+"-artifacts-"+Account, s.Prefix+"-sources-"+Account
	for _, bucket := range []string{s.Site, s.Artifacts, s.Sources} {
		if _, err := s.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
			return fmt.Errorf("create bucket %s: %w", bucket, err)
		}
	}
	_, err := s.s3.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: &s.Sources, VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		return fmt.Errorf("keep versions of %s: %w", s.Sources, err)
	}
	return nil
}

// upload puts a frontend at the default prefix. Only what is below assets has a hash
// in its name and may be cached for ever.
func (s *seeder) upload(ctx context.Context, dir string) error {
	return filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		body, err := os.Open(file)
		if err != nil {
			return fmt.Errorf("upload frontend: %w", err)
		}
		defer func() { _ = body.Close() }()
		cache := "no-cache"
		if strings.HasPrefix(filepath.ToSlash(name), "assets/") {
			cache = "public, max-age=31536000, immutable"
		}
		_, err = s.s3.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &s.Site, Key: aws.String(path.Join(defaultFrontend, filepath.ToSlash(name))), Body: body,
			ContentType: aws.String(mime.TypeByExtension(filepath.Ext(name))), CacheControl: &cache,
		})
		if err != nil {
			return fmt.Errorf("upload %s: %w", name, err)
		}
		return nil
	})
}

// queues makes the queues that the catalog clones.
func (s *seeder) queues(ctx context.Context) error {
	for name, queue := range s.CatalogContent.Queues {
		attributes := map[string]string{"VisibilityTimeout": "30", "MessageRetentionPeriod": "86400"}
		if strings.HasSuffix(queue.Clone, ".fifo") {
			attributes["FifoQueue"] = "true"
		}
		made, err := s.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(queue.Clone), Attributes: attributes})
		if err != nil {
			return fmt.Errorf("create queue %s: %w", queue.Clone, err)
		}
		s.Queues[name] = aws.ToString(made.QueueUrl)
	}
	return nil
}

// table makes the table of records and ledgers, as the deployment does.
func (s *seeder) table(ctx context.Context) error {
	s.Table = s.Prefix + "-environments"
	const partition, sort = "environment", "item"
	text := func(name string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeTypeS}
	}
	keys := func(hash, ranged string) []types.KeySchemaElement {
		return []types.KeySchemaElement{
			{AttributeName: &hash, KeyType: types.KeyTypeHash}, {AttributeName: &ranged, KeyType: types.KeyTypeRange},
		}
	}
	index := func(hash string) types.GlobalSecondaryIndex {
		return types.GlobalSecondaryIndex{
			IndexName: &hash, KeySchema: keys(hash, partition), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}
	}
	out, err := s.dynamodb.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &s.Table, BillingMode: types.BillingModePayPerRequest, KeySchema: keys(partition, sort),
		AttributeDefinitions:   []types.AttributeDefinition{text(partition), text(sort), text("commit"), text("live")},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{index("commit"), index("live")},
		StreamSpecification:    &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
	})
	if err != nil {
		return fmt.Errorf("create table: %w", err)
	}
	s.Stream = aws.ToString(out.TableDescription.LatestStreamArn)
	_, err = s.dynamodb.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: &s.Table, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("ttl"), Enabled: aws.Bool(true)},
	})
	if err != nil {
		return fmt.Errorf("enable time to live: %w", err)
	}
	return nil
}

func (s *seeder) secrets(ctx context.Context) error {
	values, arns := &s.Options.Secrets, &s.Result.Secrets
	for _, secret := range []struct {
		name, value string
		arn         *string
	}{
		{"slack-token", values.SlackToken, &arns.SlackToken},
		{"slack-signing-secret", values.SlackSigningSecret, &arns.SlackSigningSecret},
		{"github-token", values.GitHubToken, &arns.GitHubToken},
	} {
		var err error
		if *secret.arn, err = s.keep(ctx, secret.name, secret.value); err != nil {
			return err
		}
	}
	return nil
}

func (s *seeder) keep(ctx context.Context, name, value string) (arn string, err error) {
	name = s.Prefix + "/" + name
	made, err := s.secret.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &name, SecretString: &value})
	if err != nil {
		return "", fmt.Errorf("create secret %s: %w", name, err)
	}
	return aws.ToString(made.ARN), nil
}
