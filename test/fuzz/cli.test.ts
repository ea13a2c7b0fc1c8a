import { tapCampaign } from './run/tap-campaign.ts'
import { openCli } from './targets/cli.ts'

tapCampaign(openCli, 4)
