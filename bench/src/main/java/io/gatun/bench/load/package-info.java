/** Load on servers: requests that come whether or not the last one was answered, and what becomes of them. */
@NullMarked
package io.gatun.bench.load;

import org.jspecify.annotations.NullMarked;
