package life

import (
	"testing"
	"time"
)

// TestALabelComesBackAfterItsRowsHaveExpired because DynamoDB forgets a closed life
// after a month, row by row, and Step Functions keeps the names of its executions for
// three.
func TestALabelComesBackAfterItsRowsHaveExpired(t *testing.T) {
	commit := world.Repository.Commits["pr1"]
	provision(t, "back", commit+" service1 --as back")
	remove(t, "back")
	for _, rows := range []int{1, 2, 0} { // some at a time, then the rest
		if _, err := world.Expire(t.Context(), time.Now().Add(31*24*time.Hour), rows); err != nil {
			t.Fatal(err)
		}
	}
	provision(t, "back", commit+" service1 --as back")
	serves(t, world.URL("back")+"/service1", "service1")
	remove(t, "back")
}
