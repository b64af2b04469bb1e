# ggml, from its own sources: the parts that the kernel needs and no other.
#
# Out of this file come GATUN_GGML_OBJECTS (object files), GATUN_GGML_LIBRARIES, GATUN_CPU_DEFINITIONS and the
# target gatun-ggml-headers.
#
# On x86-64 ggml's CPU code is compiled once for each tier below. The objects of a tier are linked into one
# relocatable object whose symbols, all but the few entry points, are made local, and the entry points get the tier's
# suffix. So an inline function or template that was compiled for AVX-512 can never be the copy that an older
# processor runs. src/cpu/cpu.c chooses the tier. Everything else of ggml is built for the lowest tier.

file(STRINGS "${GATUN_GGML_DIR}/CMakeLists.txt" version_lines REGEX "^set\\(GGML_VERSION_(MAJOR|MINOR|PATCH) [0-9]+\\)")
string(REGEX REPLACE "[^0-9;]" "" version_parts "${version_lines}")
string(REPLACE ";" "." GGML_VERSION "${version_parts}")
set(GGML_BUILD_COMMIT "unknown")
configure_file("${GATUN_GGML_DIR}/src/ggml-version.h.in" "${CMAKE_CURRENT_BINARY_DIR}/ggml/ggml-version.h" @ONLY)

add_library(gatun-ggml-headers INTERFACE)
target_include_directories(gatun-ggml-headers SYSTEM INTERFACE "${GATUN_GGML_DIR}/include")

add_library(gatun-ggml-build INTERFACE)
target_include_directories(gatun-ggml-build SYSTEM INTERFACE "${CMAKE_CURRENT_SOURCE_DIR}/include"
  "${GATUN_GGML_DIR}/include" "${GATUN_GGML_DIR}/src" "${GATUN_GGML_DIR}/src/ggml-cpu"
  "${CMAKE_CURRENT_BINARY_DIR}/ggml")
# NDEBUG always: ggml's debug assertions end the process on numbers that a sound file may hold, such as NaN weights.
target_compile_definitions(gatun-ggml-build INTERFACE NDEBUG GGML_SCHED_MAX_COPIES=4)
if(APPLE)
  target_compile_definitions(gatun-ggml-build INTERFACE _DARWIN_C_SOURCE _XOPEN_SOURCE=600)
else()
  target_compile_definitions(gatun-ggml-build INTERFACE _GNU_SOURCE _XOPEN_SOURCE=600)
endif()
target_compile_options(gatun-ggml-build INTERFACE -w -ffunction-sections -fdata-sections)
if(GATUN_SANITIZE STREQUAL "undefined")
  # The kernel's own sources are checked, ggml's are not ours to repair.
  target_compile_options(gatun-ggml-build INTERFACE -fno-sanitize=all)
endif()

set(GGML_SRC "${GATUN_GGML_DIR}/src")
add_library(gatun-ggml-base OBJECT ${GGML_SRC}/ggml.c ${GGML_SRC}/ggml-alloc.c ${GGML_SRC}/ggml-backend.cpp
  ${GGML_SRC}/ggml-quants.c ${GGML_SRC}/ggml-threading.cpp ${GGML_SRC}/gguf.cpp)
target_link_libraries(gatun-ggml-base PRIVATE gatun-ggml-build)
target_compile_options(gatun-ggml-base PRIVATE
  "SHELL:-include \"${CMAKE_CURRENT_SOURCE_DIR}/include/gatun_ggml.h\"")
if(APPLE)
  # Its callers are never reached; elsewhere the linker drops them, with what they call.
  target_sources(gatun-ggml-base PRIVATE ${GGML_SRC}/ggml-backend-meta.cpp)
endif()

set(ggml_cpu_sources ggml-cpu.c ops.cpp binary-ops.cpp unary-ops.cpp vec.cpp quants.c iqp.cpp llamafile/sgemm.cpp)
list(TRANSFORM ggml_cpu_sources PREPEND "${GGML_SRC}/ggml-cpu/")
string(TOLOWER "${CMAKE_SYSTEM_PROCESSOR}" processor)
if(processor MATCHES "^(x86_64|amd64)$")
  list(APPEND ggml_cpu_sources "${GGML_SRC}/ggml-cpu/arch/x86/quants.c")
elseif(processor MATCHES "^(aarch64|arm64)$")
  list(APPEND ggml_cpu_sources "${GGML_SRC}/ggml-cpu/arch/arm/quants.c")
endif()

# gatun_cpu_tier(name flags...) compiles ggml's CPU code for one tier.
function(gatun_cpu_tier name)
  add_library(gatun-ggml-${name} OBJECT ${ggml_cpu_sources} src/cpu/ggml_extra.cpp)
  target_link_libraries(gatun-ggml-${name} PRIVATE gatun-ggml-build)
  target_compile_definitions(gatun-ggml-${name} PRIVATE GGML_USE_LLAMAFILE)
  target_compile_options(gatun-ggml-${name} PRIVATE ${ARGN}
    "SHELL:-include \"${CMAKE_CURRENT_SOURCE_DIR}/src/cpu/ggml_prefix.h\"")
endfunction()

set(entry_points ggml_cpu_init ggml_graph_plan ggml_graph_compute ggml_threadpool_new ggml_threadpool_free)

# gatun_cpu_sealed_tier(name suffix flags...) also seals its symbols, all but the entry points.
function(gatun_cpu_sealed_tier name suffix)
  gatun_cpu_tier(${name} ${ARGN} -fno-gnu-unique)
  set(joined "${CMAKE_CURRENT_BINARY_DIR}/ggml-${name}.joined.o")
  set(sealed "${CMAKE_CURRENT_BINARY_DIR}/ggml-${name}.o")
  set(rename "")
  set(keep "")
  foreach(entry IN LISTS entry_points)
    list(APPEND rename "--redefine-sym=${entry}=${entry}_${suffix}")
    list(APPEND keep "--keep-global-symbol=${entry}_${suffix}")
  endforeach()
  add_custom_command(OUTPUT "${sealed}"
    COMMAND ${CMAKE_LINKER} -r --force-group-allocation -o "${joined}" $<TARGET_OBJECTS:gatun-ggml-${name}>
    COMMAND ${CMAKE_OBJCOPY} ${rename} "${joined}"
    COMMAND ${CMAKE_OBJCOPY} ${keep} "${joined}" "${sealed}"
    COMMAND ${CMAKE_COMMAND} -E rm "${joined}"
    DEPENDS gatun-ggml-${name} $<TARGET_OBJECTS:gatun-ggml-${name}>
    COMMENT "Sealing ggml's CPU code for ${name}" COMMAND_EXPAND_LISTS VERBATIM)
  set_source_files_properties("${sealed}" PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  set(GATUN_GGML_OBJECTS ${GATUN_GGML_OBJECTS} "${sealed}" PARENT_SCOPE)
endfunction()

set(GATUN_GGML_LIBRARIES "")
set(GATUN_GGML_OBJECTS $<TARGET_OBJECTS:gatun-ggml-base>)
if(processor MATCHES "^(x86_64|amd64)$" AND NOT APPLE AND NOT GATUN_SANITIZE)
  target_compile_options(gatun-ggml-base PRIVATE -march=x86-64-v2)
  gatun_cpu_sealed_tier(x86-64-v2 v2 -march=x86-64-v2)
  gatun_cpu_sealed_tier(x86-64-v3 v3 -march=x86-64-v3)
  gatun_cpu_sealed_tier(x86-64-v4 v4 -march=x86-64-v4 -mavx512vnni -mavx512vbmi)
  set(GATUN_CPU_DEFINITIONS GTI_CPU_TIERS)
elseif(processor MATCHES "^(x86_64|amd64)$")
  gatun_cpu_tier(x86-64-v3 -march=x86-64-v3)
  list(APPEND GATUN_GGML_OBJECTS $<TARGET_OBJECTS:gatun-ggml-x86-64-v3>)
  set(GATUN_CPU_DEFINITIONS "GTI_CPU_ONLY=\"x86-64-v3\"")
elseif(processor MATCHES "^(aarch64|arm64)$")
  gatun_cpu_tier(arm64)
  list(APPEND GATUN_GGML_OBJECTS $<TARGET_OBJECTS:gatun-ggml-arm64>)
  set(GATUN_CPU_DEFINITIONS "GTI_CPU_ONLY=\"arm64\"")
else()
  message(FATAL_ERROR "Gatun's kernel is built for x86-64 and arm64, not for ${CMAKE_SYSTEM_PROCESSOR}.")
endif()
