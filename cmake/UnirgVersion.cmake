# One generated source holds everything that changes with the commit, so that a commit rebuilds one file.
set(UNIRG_VERSION_SOURCE "${PROJECT_BINARY_DIR}/generated/version.cc")
add_custom_target(unirg_version_stamp
  COMMAND ${CMAKE_COMMAND} -DOUTPUT=${UNIRG_VERSION_SOURCE} -DSOURCE_DIR=${PROJECT_SOURCE_DIR}
    -DVERSION=${PROJECT_VERSION} -DCOMPILER=${CMAKE_CXX_COMPILER_ID}-${CMAKE_CXX_COMPILER_VERSION}
    -DBUILD_TYPE=${CMAKE_BUILD_TYPE} -DTORCH_VERSION=${Torch_VERSION} -DDCMTK_VERSION=${DCMTK_VERSION}
    -DGDCM_VERSION=${GDCM_VERSION} -P ${PROJECT_SOURCE_DIR}/cmake/WriteVersion.cmake
  BYPRODUCTS ${UNIRG_VERSION_SOURCE})
