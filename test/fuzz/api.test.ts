import { tapCampaign } from './run/tap-campaign.ts'
import { openApi } from './targets/api.ts'

tapCampaign(openApi, 4)
