SELECT next, latest FROM parts WHERE num = $1
