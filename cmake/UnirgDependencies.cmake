# Every third-party package, found once. Debian 12 package names stand in the messages of scripts/bootstrap.
find_program(CCACHE ccache)
if(CCACHE)
  # Without this sloppiness ccache passes by every file with a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros "${CCACHE}")
endif()

set(CMAKE_CUDA_STANDARD 17)  # of our kernels, which include nothing of ours or LibTorch's that needs 20
find_package(Torch REQUIRED)  # CMAKE_PREFIX_PATH=.../torch/share/cmake; scripts/bootstrap sets LIBTORCH
# A CUDA LibTorch brings the CUDA language, TORCH_CUDA_ARCH_LIST and these libraries; our kernels are then built, too.
set(UNIRG_CUDA OFF)
# NCCL too if it is found (NCCL_ROOT; the wheels hold a libnccl.so.2 and no libnccl.so): without it only one rank has a GPU.
set(UNIRG_NCCL OFF)
if(TORCH_CUDA_LIBRARIES)
  set(UNIRG_CUDA ON)
  find_path(NCCL_INCLUDE_DIR nccl.h HINTS "${NCCL_ROOT}/include")
  find_library(NCCL_LIBRARY NAMES nccl libnccl.so.2 HINTS "${NCCL_ROOT}/lib")
  if(NCCL_INCLUDE_DIR AND NCCL_LIBRARY)
    set(UNIRG_NCCL ON)
  endif()
  message(STATUS "NCCL for ranks on GPUs: ${UNIRG_NCCL}")
endif()
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tl-expected REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(Boost REQUIRED COMPONENTS program_options)
find_package(yaml-cpp REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)
find_package(TIFF 4.5 REQUIRED)  # 4.5: error handlers and limits of each file's own
find_package(ICU REQUIRED COMPONENTS uc i18n)
find_package(pugixml REQUIRED)
find_package(ZLIB REQUIRED)
find_package(CURL REQUIRED)
find_package(LibArchive REQUIRED)
find_package(Protobuf REQUIRED)  # its variables: TorchConfig.cmake puts an empty target in the place of protobuf's
set(MPI_CXX_SKIP_MPICXX ON)  # the C interface; that of C++ has left the standard
find_package(MPI REQUIRED COMPONENTS CXX)
find_package(DCMTK REQUIRED)
# DCMTKConfig.cmake counts on its caller to know the version; its parts name it.
set(DCMTK_VERSION "${DCMTK_MAJOR_VERSION}.${DCMTK_MINOR_VERSION}.${DCMTK_BUILD_VERSION}")
add_library(unirg_dcmtk INTERFACE)
target_link_libraries(unirg_dcmtk INTERFACE
  DCMTK::dcmjpls DCMTK::dcmjpeg DCMTK::dcmdata DCMTK::oflog DCMTK::ofstd)

# GDCMConfig.cmake of Debian 12 complains about command-line tools that belong to another package, so the four libraries
# that hold the codecs are found one by one.
find_path(GDCM_INCLUDE_DIR gdcmBitmap.h PATH_SUFFIXES gdcm-3.0 REQUIRED)
add_library(unirg_gdcm INTERFACE)
target_include_directories(unirg_gdcm SYSTEM INTERFACE "${GDCM_INCLUDE_DIR}")
foreach(part IN ITEMS MSFF DSED DICT Common)
  find_library(GDCM_${part}_LIBRARY gdcm${part} REQUIRED)
  mark_as_advanced(GDCM_${part}_LIBRARY)
  target_link_libraries(unirg_gdcm INTERFACE "${GDCM_${part}_LIBRARY}")
endforeach()
file(STRINGS "${GDCM_INCLUDE_DIR}/gdcmConfigure.h" GDCM_VERSION REGEX "^#define GDCM_VERSION ")
string(REGEX REPLACE ".*\"(.*)\".*" "\\1" GDCM_VERSION "${GDCM_VERSION}")
pkg_check_modules(LIBDEFLATE REQUIRED IMPORTED_TARGET libdeflate)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
# OpenSlide brings twenty libraries: only programs that call it load them.
pkg_check_modules(OPENSLIDE REQUIRED openslide)
find_library(OPENSLIDE_LIBRARY openslide HINTS ${OPENSLIDE_LIBRARY_DIRS} REQUIRED)
mark_as_advanced(OPENSLIDE_LIBRARY)
add_library(unirg_openslide INTERFACE)
target_link_libraries(unirg_openslide INTERFACE "-Wl,--push-state,--as-needed,${OPENSLIDE_LIBRARY},--pop-state")

# Neither has a pkg-config file.
foreach(name IN ITEMS hyphen stemmer)
  string(TOUPPER ${name} NAME)
  find_library(${NAME}_LIBRARY ${name} REQUIRED)
  mark_as_advanced(${NAME}_LIBRARY)
  add_library(unirg_${name} INTERFACE)
  target_link_libraries(unirg_${name} INTERFACE "${${NAME}_LIBRARY}")
endforeach()
find_path(HYPHEN_INCLUDE_DIR hyphen.h REQUIRED)
find_path(STEMMER_INCLUDE_DIR libstemmer.h REQUIRED)

# LibTorch for the modules that LAYERS allows it. AT_PER_OPERATOR_HEADERS keeps includes narrow (9 s a file, not 49 s).
add_library(unirg_torch INTERFACE)
# LibTorch's libraries export a part of libstdc++, std::filesystem among it, which is not whole in the CUDA build's
# libtorch.so: remove_all calls address 0. The system's libstdc++ comes before them, so that its symbols are the ones found.
target_link_libraries(unirg_torch INTERFACE "-Wl,--push-state,--no-as-needed,-lstdc++,--pop-state" ${TORCH_LIBRARIES})
# LibTorch ships the headers of a newer fmt and no library for it. Debian's fmt is found before them, so that a program
# holds one fmt, compiled once; of the LibTorch headers that we include only c10/util/strong_type.h takes fmt, a formatter.
get_target_property(FMT_INCLUDE_DIR fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
set(UNIRG_FMT_FIRST "${PROJECT_BINARY_DIR}/generated/fmt-first")
file(MAKE_DIRECTORY "${UNIRG_FMT_FIRST}")
file(CREATE_LINK "${FMT_INCLUDE_DIR}/fmt" "${UNIRG_FMT_FIRST}/fmt" SYMBOLIC)
target_include_directories(unirg_torch SYSTEM BEFORE INTERFACE "${UNIRG_FMT_FIRST}")
target_compile_definitions(unirg_torch INTERFACE AT_PER_OPERATOR_HEADERS)
# Tensors of a few kilobytes to a few megabytes come and go by the thousand; glibc spends a tenth to a fifth of a training
# step and of decoding on them, and needs more memory. Sanitizers bring an allocator of their own.
if(NOT UNIRG_SANITIZE AND NOT UNIRG_FUZZ)
  find_library(TCMALLOC_LIBRARY tcmalloc_minimal REQUIRED)
  mark_as_advanced(TCMALLOC_LIBRARY)
  target_link_libraries(unirg_torch INTERFACE "-Wl,--push-state,--no-as-needed,${TCMALLOC_LIBRARY},--pop-state")
endif()

# LibTorch's headers cost a file 4 s: the modules that LAYERS marks with '*', their tests and tools parse them once.
# The dev preset does without, so that every file still names what it includes.
file(CONFIGURE OUTPUT generated/torch_headers.cc CONTENT "")  # unlike WRITE leaves alone what is there
add_library(unirg_torch_headers OBJECT EXCLUDE_FROM_ALL "${PROJECT_BINARY_DIR}/generated/torch_headers.cc")
target_link_libraries(unirg_torch_headers PRIVATE unirg_torch unirg_warnings fmt::fmt nlohmann_json::nlohmann_json)
target_precompile_headers(unirg_torch_headers PRIVATE <fmt/format.h> <filesystem> <string> <vector> <nlohmann/json.hpp>
  <ATen/core/Tensor.h> <ATen/TensorOperators.h> <ATen/ops/zeros.h>)
# The rest shares what nearly every file of it takes: all tools were built in 448 s with it, in 495 s without.
file(CONFIGURE OUTPUT generated/plain_headers.cc CONTENT "")
add_library(unirg_plain_headers OBJECT EXCLUDE_FROM_ALL "${PROJECT_BINARY_DIR}/generated/plain_headers.cc")
target_link_libraries(unirg_plain_headers PRIVATE unirg_warnings fmt::fmt nlohmann_json::nlohmann_json)
target_precompile_headers(unirg_plain_headers PRIVATE <algorithm> <filesystem> <functional> <map> <memory> <optional> <set> <string>
  <vector> <fmt/format.h> <nlohmann/json.hpp>)
