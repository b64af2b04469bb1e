/** Hours of mixed traffic against one server: answers must stay the same bits, and nothing may grow. */
@NullMarked
package io.gatun.bench.soak;

import org.jspecify.annotations.NullMarked;
