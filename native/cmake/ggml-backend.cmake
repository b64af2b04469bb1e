# ggml by its own build, with one of its GPU backends beside the CPU code for the building machine.
# Gives the same names as ggml.cmake.

set(BUILD_SHARED_LIBS OFF)
set(GGML_OPENMP OFF CACHE BOOL "" FORCE)
set(GGML_LLAMAFILE ON CACHE BOOL "" FORCE)
set(GGML_BUILD_TESTS OFF CACHE BOOL "" FORCE)
set(GGML_BUILD_EXAMPLES OFF CACHE BOOL "" FORCE)
if(GATUN_BACKEND STREQUAL "cuda")
  set(GGML_CUDA ON CACHE BOOL "" FORCE)
elseif(GATUN_BACKEND STREQUAL "metal")
  set(GGML_METAL ON CACHE BOOL "" FORCE)
  set(GGML_METAL_EMBED_LIBRARY ON CACHE BOOL "" FORCE)
else()
  message(FATAL_ERROR "GATUN_BACKEND is cpu, cuda or metal, not ${GATUN_BACKEND}.")
endif()

add_compile_options("$<$<COMPILE_LANGUAGE:C,CXX,OBJC>:SHELL:-include ${CMAKE_CURRENT_SOURCE_DIR}/include/gatun_ggml.h>"
  "$<$<COMPILE_LANGUAGE:CUDA>:SHELL:-include ${CMAKE_CURRENT_SOURCE_DIR}/include/gatun_ggml.h>")
add_subdirectory("${GATUN_GGML_DIR}" "${CMAKE_CURRENT_BINARY_DIR}/ggml" EXCLUDE_FROM_ALL)

add_library(gatun-ggml-headers INTERFACE)
target_include_directories(gatun-ggml-headers SYSTEM INTERFACE "${GATUN_GGML_DIR}/include")
set(GATUN_GGML_LIBRARIES ggml)
set(GATUN_GGML_OBJECTS "")
set(GATUN_CPU_DEFINITIONS "GTI_CPU_ONLY=\"native\"")
