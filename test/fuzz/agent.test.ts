import { tapCampaign } from './run/tap-campaign.ts'
import { openAgent } from './targets/agent.ts'

tapCampaign(openAgent, 3)
