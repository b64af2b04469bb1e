/**
 * Where texts wait and where they are computed: a bounded queue, and lanes that take what waits as one batch,
 * each its own or, when little waits, all of them one. Knows
 * nothing of the doors that requests come through.
 */
@NullMarked
package io.gatun.batch;

import org.jspecify.annotations.NullMarked;
