/** The commands: what they take, what they print, and the status they exit with. */
@NullMarked
package io.gatun.cli;

import org.jspecify.annotations.NullMarked;
