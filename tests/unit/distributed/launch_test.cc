// SPDX-License-Identifier: Apache-2.0
#include "distributed/launch.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/error.h"

namespace unirg::distributed {
namespace {

using Variables = std::map<std::string, std::string>;

bool several(const Variables& variables) {
  return is_one_of_several([&](const char* name) {
    const auto it = variables.find(name);
    return it == variables.end() ? nullptr : it->second.c_str();
  });
}

TEST(Launch, a_plain_call_is_alone) { EXPECT_FALSE(several({})); }

TEST(Launch, a_plain_call_in_a_batch_job_of_many_tasks_is_alone) {
  EXPECT_FALSE(several({{"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}, {"SLURM_JOB_ID", "7"}}));
}

TEST(Launch, mpirun_starts_several_unless_it_starts_one) {
  EXPECT_TRUE(several({{"OMPI_COMM_WORLD_SIZE", "2"}, {"PMIX_RANK", "0"}}));
  EXPECT_FALSE(several({{"OMPI_COMM_WORLD_SIZE", "1"}, {"PMIX_RANK", "0"}}));
}

TEST(Launch, mpirun_inside_an_srun_counts_mpiruns_processes) {
  EXPECT_TRUE(several({{"OMPI_COMM_WORLD_SIZE", "4"}, {"SLURM_STEP_NUM_TASKS", "1"}}));
  EXPECT_FALSE(several({{"OMPI_COMM_WORLD_SIZE", "1"}, {"SLURM_STEP_NUM_TASKS", "2"}}));
}

TEST(Launch, srun_with_pmix_starts_as_many_as_slurm_says) {
  EXPECT_TRUE(several({{"PMIX_RANK", "1"}, {"SLURM_STEP_NUM_TASKS", "2"}}));
  EXPECT_FALSE(several({{"PMIX_RANK", "0"}, {"SLURM_STEP_NUM_TASKS", "1"}}));
  EXPECT_TRUE(several({{"PMIX_RANK", "0"}})) << "MPI has to be asked";
}

TEST(Launch, tasks_that_cannot_find_each_other_are_refused) {
  for (const Variables& variables : {Variables{{"SLURM_STEP_NUM_TASKS", "2"}},
                                     Variables{{"PMI_SIZE", "2"}, {"PMI_RANK", "0"}}}) {
    try {
      (void)several(variables);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.exit(), Exit::config);
      EXPECT_NE(std::string(error.what()).find("--mpi=pmix"), std::string::npos) << error.what();
    }
  }
  EXPECT_FALSE(several({{"SLURM_STEP_NUM_TASKS", "1"}}));
  EXPECT_FALSE(several({{"PMI_SIZE", "1"}}));
}

TEST(Launch, a_process_has_its_number_on_its_node_from_the_launcher) {
  const auto rank = [](const Variables& variables) {
    return local_rank([&](const char* name) {
      const auto it = variables.find(name);
      return it == variables.end() ? nullptr : it->second.c_str();
    });
  };
  EXPECT_EQ(rank({{"OMPI_COMM_WORLD_LOCAL_RANK", "3"}, {"SLURM_LOCALID", "0"}}), 3);
  EXPECT_EQ(rank({{"SLURM_LOCALID", "2"}}), 2);
  EXPECT_EQ(rank({}), 0);
}

}  // namespace
}  // namespace unirg::distributed
