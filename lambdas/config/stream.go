package config

// StreamFactor is how many invocations of notify may read one shard of the table's
// stream at once. One: the rows of one environment are then shown one after the other.
// Above it only the changes of one row are in order, and two invocations would each
// post a status message of the same environment, or leave the older one standing.
const StreamFactor = 1
