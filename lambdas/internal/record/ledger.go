package record

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"
)

// Life is everything that the table has of one environment.
type Life struct {
	Environment Environment
	Services    []Service
	Resources   []Resource
}

// Service finds the row of a service, or nil.
func (l *Life) Service(name string) *Service {
	for i := range l.Services {
		if l.Services[i].Name == name {
			return &l.Services[i]
		}
	}
	return nil
}

// Resource finds a row of the ledger by "kind/name", or nil.
func (l *Life) Resource(key string) *Resource {
	for i := range l.Resources {
		if l.Resources[i].Key() == key {
			return &l.Resources[i]
		}
	}
	return nil
}

// Load reads everything of one environment, every page; ok is false when there
// never was one.
func (s *Store) Load(ctx context.Context, name string) (life Life, ok bool, err error) {
	pages := dynamodb.NewQueryPaginator(s.Client, &dynamodb.QueryInput{
		TableName:                 &s.Table,
		ConsistentRead:            aws.Bool(true),
		KeyConditionExpression:    aws.String("environment = :name"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":name": text(name)},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return life, false, fmt.Errorf("read ledger of %s: %w", name, err)
		}
		for _, item := range page.Items {
			if err := life.add(item); err != nil {
				return life, false, fmt.Errorf("decode ledger of %s: %w", name, err)
			}
		}
	}
	return life, life.Environment.Name != "", nil
}

func (l *Life) add(item map[string]types.AttributeValue) error {
	var sort string
	if err := attributevalue.Unmarshal(item["item"], &sort); err != nil {
		return err
	}
	switch {
	case sort == environmentItem:
		return l.Environment.read(item)
	case strings.HasPrefix(sort, servicePrefix):
		l.Services = append(l.Services, Service{})
		return attributevalue.UnmarshalMap(item, &l.Services[len(l.Services)-1])
	case strings.HasPrefix(sort, resourcePrefix):
		l.Resources = append(l.Resources, Resource{})
		return l.Resources[len(l.Resources)-1].read(item)
	}
	return nil
}

// writers is how many rows of a plan are written side by side.
const writers = 8

// WritePlan writes the rows that a revision wants, before anything of it is
// made. A row that is there keeps its id. A row that a newer revision wrote is a
// fault named statemachine.ErrSuperseded: whatever is made of the plan would be made by
// the specification of the other.
func (s *Store) WritePlan(ctx context.Context, life Life, services []Service, resources []Resource) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for _, row := range services {
		if old := life.Service(row.Name); old != nil && old.Revision == row.Revision && old.State != ServiceFailed {
			continue // a re-run: what was seen of it stays
		}
		group.Go(func() error { return late(s.putService(ctx, row), row.Environment, row.Revision, row.Name) })
	}
	for _, row := range resources {
		if old := life.Resource(row.Key()); old != nil && old.State != Closed && old.Incarnation == row.Incarnation {
			row.ID, row.State, row.PresentAt = old.ID, old.State, 0
			if old.State != Present {
				row.State = Planned
			}
		}
		group.Go(func() error { return s.PutResource(ctx, row) })
	}
	return group.Wait()
}

// PutResource writes a row of the ledger. Where a newer revision has written it, that
// is a fault named statemachine.ErrSuperseded.
func (s *Store) PutResource(ctx context.Context, row Resource) error {
	row.Item = resourcePrefix + row.Kind + "#" + row.Name
	if row.State == Closed {
		row.TTL = s.Now().Add(kept).Unix()
	}
	return late(s.putRow(ctx, row, row.others, row.Revision, row.Environment+" "+row.Key()), row.Environment, row.Revision, row.Key())
}

// errNewer says that a newer revision has written a row.
var errNewer = errors.New("a newer revision has written the row")

// late is the fault of a writer that comes after a newer revision.
func late(err error, environment string, revision int, name string) error {
	if errors.Is(err, errNewer) {
		return Superseded(environment, revision, "a newer one has written the row of "+name)
	}
	return err
}

// GetResource reads one row of the ledger; ok is false when it was never planned.
func (s *Store) GetResource(ctx context.Context, environment, kind, name string) (row Resource, ok bool, err error) {
	out, err := s.Client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.Table, Key: key(environment, resourcePrefix+kind+"#"+name), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return row, false, fmt.Errorf("read ledger row %s %s/%s: %w", environment, kind, name, err)
	}
	if len(out.Item) == 0 {
		return row, false, nil
	}
	err = row.read(out.Item)
	return row, true, err
}

// SetService lets change alter the row of a service, unless a newer revision has
// written it; a row that is as it was is not written.
func (s *Store) SetService(ctx context.Context, environment, name string, revision int, change func(row *Service)) error {
	out, err := s.Client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.Table, Key: key(environment, servicePrefix+name), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return fmt.Errorf("read service row %s %s: %w", environment, name, err)
	}
	row := Service{Environment: environment, Name: name}
	if len(out.Item) > 0 {
		if err := attributevalue.UnmarshalMap(out.Item, &row); err != nil {
			return fmt.Errorf("decode service row %s %s: %w", environment, name, err)
		}
	}
	if row.Revision > revision {
		return nil
	}
	row.Revision = revision
	change(&row)
	if err := s.putService(ctx, row); !errors.Is(err, errNewer) {
		return err
	}
	return nil // what an older revision has to say of its progress interests nobody
}

// ForgetServices has the rows of the services deleted with the record, a month after
// it is closed. It comes before the close, so that a closing which died in between is
// done again as a whole.
func (s *Store) ForgetServices(ctx context.Context, life Life) error {
	for _, row := range life.Services {
		row.TTL = s.Now().Add(kept).Unix()
		if err := s.putService(ctx, row); err != nil && !errors.Is(err, errNewer) {
			return err
		}
	}
	return nil
}

func (s *Store) putService(ctx context.Context, row Service) error {
	row.Item = servicePrefix + row.Name
	return s.putRow(ctx, row, nil, row.Revision, row.Environment+" "+row.Name)
}

// putRow writes a row unless one of a newer revision stands there: errNewer.
func (s *Store) putRow(ctx context.Context, row any, others others, revision int, name string) error {
	item, err := encode(row, others)
	if err != nil {
		return fmt.Errorf("encode row %s: %w", name, err)
	}
	_, err = s.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.Table, Item: item,
		ConditionExpression:       aws.String("attribute_not_exists(environment) OR revision <= :mine"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":mine": number(revision)},
	})
	if conflict(err) {
		return errNewer
	}
	if err != nil {
		return fmt.Errorf("write row %s: %w", name, err)
	}
	return nil
}
