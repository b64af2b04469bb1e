# The instruction sets that linears, attention and the rest of the encoder are compiled for: one source file each, with
# the flags that let the compiler use it. src/cpu/cpu.c chooses at run time. Everything else of the kernel is compiled
# for the lowest processor of its architecture.
#
# Out of this file come GATUN_CPU_SOURCES and GATUN_CPU_LOWER_SETS: the names of all sets but the best.

set(GATUN_CPU_SOURCES "")

# gatun_cpu_source(file flags...)
function(gatun_cpu_source file)
  set_source_files_properties("src/cpu/${file}" PROPERTIES COMPILE_OPTIONS "-O3;-fno-math-errno;-fno-trapping-math;${ARGN}")
  set(GATUN_CPU_SOURCES ${GATUN_CPU_SOURCES} "src/cpu/${file}" PARENT_SCOPE)
endfunction()

if(processor MATCHES "^(x86_64|amd64)$")
  gatun_cpu_source(avx512.c -march=x86-64-v4 -mavx512vnni)
  gatun_cpu_source(avxvnni.c -march=x86-64-v3)
  gatun_cpu_source(avx2.c -march=x86-64-v3)
  gatun_cpu_source(sse42.c -march=x86-64-v2)
  set(GATUN_CPU_LOWER_SETS avx512-vnni avx-vnni avx2 sse4.2)
else()
  # gcc would load so many operands early that accumulators have to go to memory.
  set(in_order $<$<C_COMPILER_ID:GNU>:-fno-schedule-insns>)
  gatun_cpu_source(i8mm.c -march=armv8.2-a+dotprod+i8mm ${in_order})
  gatun_cpu_source(dotprod.c -march=armv8.2-a+dotprod ${in_order})
  gatun_cpu_source(neon.c ${in_order})
  set(GATUN_CPU_LOWER_SETS dotprod neon)
endif()
